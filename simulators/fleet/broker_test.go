package fleet

import (
	"bytes"
	"crypto/tls"
	"iter"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"testing"

	mochi "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/simulators/verify"
)

// testBroker keeps every publish and can withhold acks: what the fleet must make of that is known.
type testBroker struct {
	mochi.HookBase
	server *mochi.Server
	addr   string

	mu       sync.Mutex
	kept     []verify.Stored
	wills    []string
	clients  map[string]int  // connects by client id
	accounts map[string]bool // name and password of those who signed in
	shown    map[string]bool // over TLS, by client id: whether it has shown a certificate
	withhold int             // this many publishes are kept but not acknowledged, and their connection is closed
	refuse   bool            // sign-ins
}

func newTestBroker(t *testing.T) *testBroker { t.Helper(); return newTestBrokerOver(t, nil) }

// newTestBrokerOver speaks TLS unless over is nil.
func newTestBrokerOver(t *testing.T, over *tls.Config) *testBroker {
	t.Helper()
	b := &testBroker{clients: map[string]int{}, accounts: map[string]bool{}, shown: map[string]bool{}}
	b.server = mochi.New(&mochi.Options{Logger: slog.New(slog.DiscardHandler), InlineClient: true})
	if err := b.server.AddHook(b, nil); err != nil {
		t.Fatal(err)
	}
	l := listeners.NewTCP(listeners.Config{ID: "t", Address: "127.0.0.1:0", TLSConfig: over})
	if err := b.server.AddListener(l); err != nil {
		t.Fatal(err)
	}
	if b.addr = "tcp://" + l.Address(); over != nil {
		b.addr = "ssl://" + l.Address()
	}
	if err := b.server.Serve(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The library's Close locks up with a client that is just leaving (Clients.GetByListener locks for reading twice).
		eventually(t, "only the server's own client is left", func() bool { return b.server.Clients.Len() == 1 })
		b.server.Close()
	})
	return b
}

func (b *testBroker) ID() string { return "test" }

func (b *testBroker) Provides(hook byte) bool {
	return bytes.Contains([]byte{mochi.OnConnectAuthenticate, mochi.OnACLCheck, mochi.OnPublish, mochi.OnWillSent}, []byte{hook})
}

func (b *testBroker) OnConnectAuthenticate(cl *mochi.Client, pk packets.Packet) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.accounts[string(pk.Connect.Username)+" "+string(pk.Connect.Password)] = true
	b.clients[cl.ID]++
	if over, ok := cl.Net.Conn.(*tls.Conn); ok {
		b.shown[cl.ID] = len(over.ConnectionState().PeerCertificates) > 0
	}
	return !b.refuse
}

func (b *testBroker) OnACLCheck(*mochi.Client, string, bool) bool { return true }

func (b *testBroker) OnPublish(cl *mochi.Client, pk packets.Packet) (packets.Packet, error) {
	if cl.Net.Inline {
		return pk, nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, verify.Stored{Topic: pk.TopicName, Payload: bytes.Clone(pk.Payload)})
	if b.withhold > 0 {
		b.withhold--
		cl.Stop(packets.ErrRejectPacket)
		return pk, packets.ErrRejectPacket
	}
	return pk, nil
}

func (b *testBroker) OnWillSent(cl *mochi.Client, _ packets.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wills = append(b.wills, cl.ID)
}

// stored iterates over a copy of what was kept.
func (b *testBroker) stored() iter.Seq2[verify.Stored, error] {
	b.mu.Lock()
	kept := append([]verify.Stored(nil), b.kept...)
	b.mu.Unlock()
	return func(yield func(verify.Stored, error) bool) {
		for _, s := range kept {
			if !yield(s, nil) {
				return
			}
		}
	}
}

// names lists who signed in.
func (b *testBroker) names() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.accounts))
}

// count gives how many kept messages have this topic and contain text.
func (b *testBroker) count(topic, text string) int {
	n := 0
	for s := range b.stored() {
		if s.Topic == topic && bytes.Contains(s.Payload, []byte(text)) {
			n++
		}
	}
	return n
}
