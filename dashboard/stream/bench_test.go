package stream_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/dashboard/stream"
	"watchhouse/dashboard/stream/streamtest"
)

// BenchmarkFanOut takes one P1 to fifty consoles over loopback TCP and back to the last reader, one at a time.
func BenchmarkFanOut(b *testing.B) {
	const consoles = 50
	ledger := streamtest.New("k7", 1<<20)
	hub, err := stream.New(stream.Config{MaxClients: consoles, Heartbeat: 5 * time.Second}, stream.Deps{Source: ledger, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = hub.Run(ctx) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hub.Serve(w, r, stream.Identity{Name: "anna", Role: "operator", Valid: func() bool { return true }})
	}))
	for hub.Room(stream.Identity{Handles: true}) != nil {
		time.Sleep(time.Millisecond)
	}
	got := make(chan struct{}, consoles)
	var readers sync.WaitGroup
	for range consoles {
		d := websocket.Dialer{Subprotocols: []string{stream.Subprotocol}}
		conn, res, err := d.Dial("ws"+strings.TrimPrefix(server.URL, "http"), nil)
		if err != nil {
			b.Fatal(err)
		}
		res.Body.Close()
		if err := conn.WriteJSON(stream.ClientFrame{T: "hello", Epoch: "k7"}); err != nil {
			b.Fatal(err)
		}
		readers.Go(func() {
			defer conn.Close()
			for {
				_, frame, err := conn.ReadMessage()
				if err != nil {
					return
				}
				if strings.HasPrefix(string(frame[:min(len(frame), 12)]), `{"t":"b"`) {
					got <- struct{}{}
				} else if strings.Contains(string(frame), "welcome") {
					got <- struct{}{}
				}
			}
		})
	}
	for range consoles {
		<-got
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		ledger.Raise(fmt.Sprint("i", i), 1)
		for range consoles {
			<-got
		}
	}
	b.StopTimer()
	cancel()
	running.Wait()
	readers.Wait()
	server.Close()
}
