package load

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/simulators/packet"
)

// stubHub is the smallest hub: an MQTT listener that acknowledges, and a stream that tells of every event after a set delay.
type stubHub struct {
	t     *testing.T
	addr  string
	url   string
	delay time.Duration

	mu      sync.Mutex
	seq     uint64
	console *websocket.Conn
	mute    bool // tell nothing
	drop    int  // hang up instead of acknowledging, so many times
	users   map[string]int
}

func newStubHub(t *testing.T, delay time.Duration) *stubHub {
	h := &stubHub{t: t, delay: delay, users: map[string]int{}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.addr = l.Addr().String()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { h.serve(conn) })
		}
	})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/login", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /api/v1/stream", h.stream)
	s := httptest.NewServer(mux)
	h.url = s.URL
	t.Cleanup(func() { l.Close(); s.CloseClientConnections(); s.Close(); wg.Wait() })
	return h
}

func (h *stubHub) target(accounts []Account) Target {
	return Target{Name: "stub", Addr: h.addr, Accounts: accounts}
}

func (h *stubHub) serve(conn net.Conn) {
	defer conn.Close()
	r := packet.NewReader(conn, 4096, 1<<16)
	for {
		p, err := r.Next()
		if err != nil {
			return
		}
		var out []byte
		switch p.Type {
		case packet.TypeConnect:
			out = []byte{0x20, 2, 0, 0}
		case packet.TypePingreq:
			out = []byte{0xD0, 0}
		case packet.TypePublish:
			m, err := p.Publish()
			if err != nil || !json.Valid(m.Payload) {
				h.t.Errorf("bad publish %q: %v", m.Payload, err)
				return
			}
			if strings.HasSuffix(m.Topic, "/event") {
				h.tell(strings.Split(m.Topic, "/")[2])
			}
			if h.drops() {
				return
			}
			out = packet.AppendPuback(nil, m.ID)
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

func (h *stubHub) drops() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop--
	return h.drop >= 0
}

func (h *stubHub) tell(device string) {
	time.Sleep(h.delay)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.mute {
		return
	}
	h.seq++
	h.users[device]++
	frame := fmt.Sprintf(`{"t":"b","f":%d,"l":%d,"ev":[{"seq":%d,"kind":"occurrence","incident":{"device":%q}}]}`, h.seq, h.seq, h.seq, device)
	_ = h.console.WriteMessage(websocket.TextMessage, []byte(frame))
}

func (h *stubHub) stream(w http.ResponseWriter, r *http.Request) {
	ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
	if err != nil {
		return
	}
	h.mu.Lock()
	h.console = ws
	_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"t":"welcome","resume":"ok"}`))
	h.mu.Unlock()
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			ws.Close()
			return
		}
	}
}
