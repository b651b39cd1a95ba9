package hub_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"watchhouse/internal/testkit"
)

// Sockets that ask for nothing make room for those that do: the oldest is closed, and the page answers.
func TestSilentSocketsKeepNobodyFromThePage(t *testing.T) {
	h := testkit.StartHub(t)
	const most = 256
	var silent []net.Conn
	for range most + 8 {
		conn, err := net.Dial("tcp", h.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		silent = append(silent, conn)
	}
	for i, conn := range silent[:8] {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, io.ErrNoProgress) || isTimeout(err) {
			t.Fatalf("the oldest sockets are kept: number %d, %v", i, err)
		}
	}
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	response, err := client.Get("http://" + h.HTTPAddr() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}
