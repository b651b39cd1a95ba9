package broker

import (
	"crypto/tls"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/certs"
	"watchhouse/journal"
)

// Who may sign in with which certificate, over TLS and over WSS. btn-1 and btn-2 are registered and have certificates, lost has one only.
func TestMutualTLS(t *testing.T) {
	h := startTLS(t, nil, "btn-1", "btn-2", "lost")
	bare := func(user string) hello { return hello{user: user, noSecret: true} }
	tests := []struct {
		name, shown string
		hello       hello
		v3, v5      byte
	}{
		{"secret, no certificate", "", hello{user: "btn-1"}, 0, 0},
		{"neither", "", bare("btn-1"), 5, 0x86},
		{"certificate, no secret", "btn-1", bare("btn-1"), 0, 0},
		{"certificate and secret", "btn-1", hello{user: "btn-1"}, 0, 0},
		{"certificate and a wrong secret", "btn-1", hello{user: "btn-1", secret: "guess"}, 5, 0x86},
		{"certificate and suffix", "btn-1", hello{user: "btn-1", id: "btn-1~telemetry", noSecret: true}, 0, 0},
		{"foreign client id", "btn-1", hello{user: "btn-1", id: "btn-2", noSecret: true}, 2, 0x85},
		{"another's certificate", "btn-2", bare("btn-1"), 5, 0x86},
		{"another's certificate, right secret", "btn-2", hello{user: "btn-1"}, 5, 0x86},
		{"certificate alone", "btn-1", hello{noUser: true, noSecret: true, id: "btn-1"}, 0, 0},
		{"certificate alone, client id of another", "btn-1", hello{noUser: true, noSecret: true, id: "btn-2"}, 2, 0x85},
		{"not registered", "lost", bare("lost"), 5, 0x86},
	}
	for _, tt := range tests {
		for _, v5 := range []bool{false, true} {
			want := tt.v3
			if tt.hello.v5 = v5; v5 {
				want = tt.v5
			}
			for way, w := range map[string]*wire{"TLS": h.dialTLS(tt.shown), "WSS": h.dialWSS(tt.shown)} {
				if code, _ := w.connect(tt.hello); code != want {
					t.Errorf("%s, %s, v5 %v: CONNACK %#x, want %#x", tt.name, way, v5, code, want)
				}
				if want == 0 {
					w.ping()
				} else {
					w.expectClosed()
				}
			}
		}
	}
}

// dialWSS is dialTLS for the address of WebSocket.
func (h *house) dialWSS(device string) *wire {
	h.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{"mqtt"}, TLSClientConfig: h.certificates.client(device)}
	ws, _, err := d.Dial("wss://"+h.WebSocketAddr()+"/mqtt", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return over(h.t, clientSocket{&wsSocket{ws: ws}})
}

func TestPublishOverTLSIsStoredAndAcknowledged(t *testing.T) {
	h := startTLS(t, nil)
	w := h.dialTLS("")
	if code, _ := w.connect(hello{user: "btn-1"}); code != 0 {
		t.Fatalf("CONNACK %#x", code)
	}
	for id := range uint16(100) {
		w.publish(pub{topic: "wh/v1/btn-1/event", payload: `{"type":"sos"}`, qos: 1, id: id + 1})
	}
	for id := range uint16(100) {
		w.expectAck(typePuback, id+1, 0)
	}
	if n := len(h.stored(journal.EventLane)); n != 100 {
		t.Errorf("%d stored", n)
	}
}

// Who has to revoke a certificate reads in the journal which one it is.
func TestTheJournalNamesTheCertificate(t *testing.T) {
	h := startTLS(t, nil, "btn-1")
	h.dialTLS("btn-1").connect(hello{user: "btn-1", noSecret: true})
	h.join(hello{user: "btn-2"})
	records := h.state.taken(journal.Connect)
	if len(records) != 2 {
		t.Fatalf("%d records", len(records))
	}
	if first := string(records[0].Payload); !strings.Contains(first, `"tls":"TLS 1.3","certificate":"`+certs.Fingerprint(h.certificates.pair("btn-1").Leaf)+`"`) {
		t.Errorf("over TLS: %s", first)
	}
	if second := string(records[1].Payload); strings.Contains(second, "tls") || strings.Contains(second, "certificate") {
		t.Errorf("in clear: %s", second)
	}
}

// A device that leaves the registry is dismissed, whatever its certificate says.
func TestACertificateOutlivesNoRegistration(t *testing.T) {
	h := startTLS(t, nil, "btn-1")
	w := h.dialTLS("btn-1")
	w.connect(hello{user: "btn-1", noSecret: true, v5: true})
	h.people.remove("btn-1")
	if _, last := w.expectClosed(); len(last) == 0 || last[0] != codeAdministrator {
		t.Errorf("DISCONNECT % x", last)
	}
	if code, _ := h.dialTLS("btn-1").connect(hello{user: "btn-1", noSecret: true}); code != 5 {
		t.Errorf("CONNACK %#x", code)
	}
}

func TestARevokedCertificateIsDismissed(t *testing.T) {
	h := startTLS(t, nil, "btn-1", "btn-2")
	c := h.certificates
	bad, good, plain := h.dialTLS("btn-1"), h.dialTLS("btn-2"), h.join(hello{user: "btn-3"})
	bad.connect(hello{user: "btn-1", noSecret: true, v5: true})
	good.connect(hello{user: "btn-2", noSecret: true})
	c.must(os.WriteFile(c.path("revoked"), []byte(certs.Fingerprint(c.pair("btn-1").Leaf)), 0o600))
	c.must(c.store.Reload())
	h.Recheck()
	if _, last := bad.expectClosed(); len(last) == 0 || last[0] != codeAdministrator {
		t.Errorf("DISCONNECT % x", last)
	}
	good.ping()
	plain.ping()
	nc, err := tls.Dial("tcp", h.TLSAddr(), c.client("btn-1"))
	if err == nil { // in TLS 1.3 the client is done before the server has refused
		_ = nc.SetReadDeadline(time.Now().Add(patient10))
		_, err = nc.Read(make([]byte, 1))
		_ = nc.Close()
	}
	if err == nil {
		t.Error("the revoked certificate was taken")
	}
}

// Strangers who do not finish their handshake keep nobody waiting and are gone after the time to CONNECT. Nothing of it is logged.
func TestHandshakesThatDoNotEnd(t *testing.T) {
	h := startTLS(t, func(c *Config) { c.ConnectTimeout = time.Second })
	silent, half, plain := dial(t, h.TLSAddr()), dial(t, h.TLSAddr()), dial(t, h.TLSAddr())
	half.write([]byte{22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3}) // the beginning of a ClientHello
	plain.write(hello{user: "btn-1"}.packet())
	good := h.dialTLS("")
	if code, _ := good.connect(hello{user: "btn-1"}); code != 0 {
		t.Errorf("CONNACK %#x", code)
	}
	for _, w := range []*wire{silent, half, plain} {
		w.expectClosed()
	}
	eventually(t, "three failures counted", func() bool { return h.Stats().TLSFail == 3 })
	good.ping()
	log := h.log.String()
	h.dialTLS("").expectClosed() // a handshake, then silence
	if n := h.Stats().TLSFail; n != 3 || log != h.log.String() {
		t.Errorf("%d failures, log %q", n, h.log.String())
	}
}

func TestHandshakesCountAsConnections(t *testing.T) {
	h := startTLS(t, func(c *Config) { c.MaxConnections = 2 })
	dial(t, h.TLSAddr())
	dial(t, h.TLSAddr())
	eventually(t, "both are connected", func() bool { return h.Stats().Connections == 2 })
	dial(t, h.TLSAddr()).expectClosed()
}

func TestStopDoesNotWaitForHandshakes(t *testing.T) {
	h := startTLS(t, func(c *Config) { c.ConnectTimeout = time.Minute })
	w := dial(t, h.TLSAddr())
	eventually(t, "it is connected", func() bool { return h.Stats().Connections == 1 })
	h.shut() // within its own time, which is shorter
	w.expectClosed()
}

func TestOldVersionsAreRefused(t *testing.T) {
	h := startTLS(t, nil)
	for _, addr := range []string{h.TLSAddr(), h.WebSocketAddr()} {
		old := h.certificates.client("")
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if nc, err := tls.Dial("tcp", addr, old); err == nil {
			t.Errorf("%s: TLS 1.1 was taken", addr)
			_ = nc.Close()
		}
	}
}

func TestTLSNeedsACertificate(t *testing.T) {
	h := start(t)
	cfg := testConfig()
	cfg.TLS = "127.0.0.1:0"
	b, err := newBroker(cfg, h.stores, h.people, h.Broker.log)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.bind(); err == nil {
		t.Error("it listens without a certificate")
	}
}

// Listeners share one pace: who is refused the plain door does not storm the other.
func TestOnePaceForAllListeners(t *testing.T) {
	h := startTLS(t, nil)
	for _, l := range []net.Listener{h.tcp, h.tls, h.ws} {
		if h.patient(l).door != h.door {
			t.Error("a listener has a pace of its own")
		}
	}
}

// deadlines remembers the last write deadline of a connection.
type deadlines struct {
	net.Conn
	last time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.last = t
	return d.Conn.SetWriteDeadline(t)
}

// crypto/tls answers a key update while it reads: a deadline left over from a write would make that answer fail, and with it every
// later write.
func TestAWriteLeavesNoDeadlineBehind(t *testing.T) {
	ours, theirs := net.Pipe()
	defer theirs.Close()
	c := newCertificates(t)
	below := &deadlines{Conn: ours}
	s := newTLSSocket(below, c.store.MQTT())
	defer s.Close()
	client := tls.Client(theirs, c.client(""))
	got := make(chan error, 1)
	go func() {
		_, err := client.Read(make([]byte, 1))
		got <- err
	}()
	c.must(s.SetWriteDeadline(time.Now().Add(time.Minute)))
	if _, err := s.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	c.must(<-got)
	if !below.last.IsZero() {
		t.Errorf("the deadline %v is left", below.last)
	}
}
