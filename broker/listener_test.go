package broker

import (
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/certs"
	"watchhouse/journal"
)

// poor is a listener without file descriptors for a while.
type poor struct {
	net.Listener
	mu   sync.Mutex
	left int
}

func (p *poor) Accept() (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left > 0 {
		p.left--
		return nil, &net.OpError{Op: "accept", Err: []error{syscall.EMFILE, syscall.ECONNABORTED}[p.left%2]}
	}
	return p.Listener.Accept()
}

// The library's listener ends at the first error of Accept, for ever.
func TestAcceptErrorsAreSurvived(t *testing.T) {
	h := start(t)
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.accept(h.patient(&poor{Listener: l, left: 5}), nil)
	}()
	w := dial(t, l.Addr().String())
	if code, _ := w.connect(hello{user: "btn-1"}); code != 0 {
		t.Errorf("CONNACK %#x", code)
	}
	if n := h.Stats().AcceptErrors; n != 5 {
		t.Errorf("%d errors counted", n)
	}
	if n := strings.Count(h.log.String(), "accept failed"); n != 1 {
		t.Errorf("%d log lines about it, want 1", n)
	}
	_ = l.Close()
	<-ended
}

func TestAddressInUseIsAnError(t *testing.T) {
	h := start(t)
	for _, set := range []func(*Config){
		func(c *Config) { c.TCP = h.Addr() }, func(c *Config) { c.WebSocket = h.WebSocketAddr() }, func(c *Config) { c.TLS = h.Addr() },
	} {
		cfg := testConfig()
		set(&cfg)
		b, err := newBroker(cfg, h.stores, h.people, h.Broker.log)
		if err != nil {
			t.Fatal(err)
		}
		b.certificates = &certs.Store{}
		if err := b.bind(); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("got %v", err)
		}
	}
}

func TestListenersThatAreOff(t *testing.T) {
	h := open(t, t.TempDir(), func(c *Config) { c.WebSocket = "" })
	if h.Addr() == "" || h.WebSocketAddr() != "" {
		t.Errorf("addresses %q %q", h.Addr(), h.WebSocketAddr())
	}
}

func (h *house) webSocket() *websocket.Conn {
	h.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}}
	ws, resp, err := d.Dial("ws://"+h.WebSocketAddr()+"/mqtt", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = ws.Close() })
	if got := resp.Header.Get("Sec-WebSocket-Protocol"); got != "mqtt" {
		h.t.Errorf("subprotocol %q", got)
	}
	return ws
}

// Packets cross the borders of WebSocket messages, and several share one.
func TestWebSocketIsAStream(t *testing.T) {
	h := start(t)
	ws := h.webSocket()
	v3 := &wire{t: t}
	all := hello{user: "btn-1"}.packet()
	all = append(all, v3.publishPacket(pub{topic: "wh/v1/btn-1/event", payload: "a", qos: 1, id: 1})...)
	all = append(all, v3.publishPacket(pub{topic: "wh/v1/btn-1/event", payload: "b", qos: 1, id: 2})...)
	for _, part := range [][]byte{all[:1], all[1:9], all[9:50], {}, all[50:]} {
		if err := ws.WriteMessage(websocket.BinaryMessage, part); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	for len(got) < 12 {
		_, m, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m...)
	}
	if string(got) != "\x20\x02\x00\x00\x40\x02\x00\x01\x40\x02\x00\x02" {
		t.Errorf("got % x", got)
	}
	if n := len(h.stored(journal.EventLane)); n != 2 {
		t.Errorf("%d stored", n)
	}
}

func TestWebSocketTextIsRefused(t *testing.T) {
	h := start(t)
	ws := h.webSocket()
	if err := ws.WriteMessage(websocket.TextMessage, hello{user: "btn-1"}.packet()); err != nil {
		t.Fatal(err)
	}
	if _, m, err := ws.ReadMessage(); err == nil {
		t.Errorf("got % x", m)
	}
}

func TestWebSocketFromAForeignPageIsRefused(t *testing.T) {
	h := start(t)
	_, resp, err := websocket.DefaultDialer.Dial("ws://"+h.WebSocketAddr()+"/mqtt", map[string][]string{"Origin": {"http://evil.example"}})
	if err == nil || resp == nil || resp.StatusCode != 403 {
		t.Errorf("got %v, %v", resp, err)
	}
}

func TestWebSocketAddressHoldsNoOtherRequests(t *testing.T) {
	h := start(t)
	w := dial(t, h.WebSocketAddr())
	w.write([]byte("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"))
	if err := w.nc.SetReadDeadline(time.Now().Add(patient10)); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(w.nc); err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") {
		t.Errorf("%q, %v: want a refusal, then the end", answer, err)
	}
}

// The library logs whole packets. Neither secrets nor payloads may be in the log, at any level.
func TestLogHoldsNoSecretAndNoPayload(t *testing.T) {
	h := start(t)
	const canary = "CaNaRy"
	h.dial().connect(hello{user: "btn-1", secret: canary})
	h.dial().connect(hello{user: canary + "/" + canary, id: "x", secret: canary})
	w := h.join(hello{user: "btn-1", v5: true, will: &will{topic: "wh/v1/btn-1/status", payload: []byte(canary)}})
	w.publish(pub{topic: "wh/v1/btn-1/event", payload: canary, qos: 1, id: 1})
	w.publish(pub{topic: "wh/v1/btn-2/event", payload: canary, qos: 1, id: 2})
	w.write(packet(typeSubscribe<<4|2, lenText([]byte{0, 1, 0}, canary)))
	w.expectClosed()
	w = h.join(hello{user: "btn-1", v5: true})
	w.write(packet(typeAuth<<4, append([]byte{0x55, byte(len(canary) + 3)}, lenText([]byte{22}, canary)...)))
	w.expectClosed()
	bad := hello{user: "btn-1", secret: canary, will: &will{topic: canary + "/#", payload: []byte(canary)}}
	h.dial().connect(bad)
	h.shut()
	if log := h.log.String(); log == "" || strings.Contains(log, canary) {
		t.Errorf("the log says: %s", log)
	}
}

func TestConfigNamesTheFaultyKey(t *testing.T) {
	if err := DefaultConfig().Validate(); err != nil {
		t.Fatal(err)
	}
	for key, spoil := range map[string]func(*Config){
		"tcp":              func(c *Config) { c.TCP = "" },
		"max_connections":  func(c *Config) { c.MaxConnections = 0 },
		"max_packet_bytes": func(c *Config) { c.MaxPacketBytes = 1 << 30 },
		"connect_timeout":  func(c *Config) { c.ConnectTimeout = 0 },
		"write_timeout":    func(c *Config) { c.WriteTimeout = -1 },
		"max_keepalive":    func(c *Config) { c.MaxKeepalive = maxKeepalive + 1 },
	} {
		cfg := DefaultConfig()
		spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}
