package broker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
)

func from(ip string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), 1))
}

// crowd enters at a door and notes who is dropped.
type crowd struct {
	*door
	gone []string
}

func (c *crowd) come(name, ip string) *visitor {
	return c.enter(from(ip), func() { c.gone = append(c.gone, name) })
}

func (c *crowd) expect(t *testing.T, want ...string) {
	t.Helper()
	if fmt.Sprint(c.gone) != fmt.Sprint(want) {
		t.Errorf("dropped %v, want %v", c.gone, want)
	}
	c.gone = nil
}

// The oldest of a full address makes room for the next one from there, and for nobody else.
func TestTheOldestOfAnAddressMakesRoom(t *testing.T) {
	c := &crowd{door: newDoor(Strangers{PerAddress: 2, Total: 100})}
	a := c.come("a", "10.0.0.1")
	c.come("b", "10.0.0.1")
	c.come("other", "10.0.0.2")
	c.expect(t)
	c.come("c", "10.0.0.1")
	c.expect(t, "a")
	a.leave() // once more does no harm
	c.come("d", "::ffff:10.0.0.1")
	c.expect(t, "b")
	for i := range 4 {
		c.come(fmt.Sprint(i), fmt.Sprintf("2001:db8:1:2::%d", i))
	}
	c.expect(t, "0", "1")
	if n := c.halfOpen(); n != 5 {
		t.Errorf("%d half open", n)
	}
}

// When all places are taken a stranger makes room before anybody from an address that is known, the oldest first.
func TestStrangersMakeRoomBeforeKnownAddresses(t *testing.T) {
	c := &crowd{door: newDoor(Strangers{PerAddress: 10, Total: 4})}
	c.welcome("btn-1", from("10.0.0.1"))
	c.come("known", "10.0.0.1")
	for i := range 5 {
		c.come(fmt.Sprint(i), fmt.Sprintf("10.0.1.%d", i))
	}
	c.expect(t, "0", "1")
	if !c.makeRoom() || c.halfOpen() != 3 {
		t.Error("no room was made")
	}
	c.expect(t, "2")
}

// Devices behind one address come back at once after an outage of theirs or of the hub: those that signed in from there are no strangers.
func TestAKnownAddressHasRoomForItsAccounts(t *testing.T) {
	before := newDoor(Strangers{PerAddress: 4, Total: 10_000})
	for i := range 5000 {
		before.welcome(fmt.Sprint("dev-", i), from("10.0.0.1"))
	}
	before.welcome("dev-0", from("10.0.0.2")) // moved away
	for _, d := range []*door{before, newDoor(before.limits)} {
		if d != before {
			shelf := &memoryShelf{}
			if err := errors.Join(before.save(t.Context(), shelf), d.restore(t.Context(), shelf)); err != nil {
				t.Fatal(err)
			}
		}
		c := &crowd{door: d}
		for i := range 4999 + 4 {
			c.come(fmt.Sprint(i), "10.0.0.1")
		}
		c.expect(t)
		c.come("more", "10.0.0.1")
		c.expect(t, "0")
	}
}

// memoryShelf keeps one value.
type memoryShelf struct{ body []byte }

func (s *memoryShelf) Get(context.Context, string) ([]byte, error) { return s.body, nil }

func (s *memoryShelf) Put(_ context.Context, _ string, body []byte) error {
	s.body = body
	return nil
}

// A host of strangers holds no more places than it may, whatever it speaks, and a device gets in beside it from the same address.
func TestStrangersDelayNobody(t *testing.T) {
	h := openWith(t, t.TempDir(), strict(), newCertificates(t))
	addresses := []string{h.Addr(), h.WebSocketAddr(), h.TLSAddr()}
	var all []net.Conn
	defer func() {
		for _, s := range all {
			_ = s.Close()
		}
	}()
	for i := range 600 {
		s, err := net.Dial("tcp", addresses[i%3])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
		if i%50 == 49 {
			h.join(hello{user: "btn-1", id: fmt.Sprintf("btn-1~%d", i%8)}).ping()
		}
	}
	_ = all[0].SetReadDeadline(time.Now().Add(patient10))
	if _, err := all[0].Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the oldest is still there: %v", err)
	}
	if n := h.door.halfOpen(); n > 25 {
		t.Errorf("%d are half open, want at most 24 and the device's account", n)
	}
	eventually(t, "the dropped ones are gone", func() bool { return h.Stats().Connections <= 8+25 })
}

func strict() Config {
	cfg := testConfig()
	cfg.TLS = "127.0.0.1:0"
	cfg.Strangers = Strangers{PerAddress: 24, Total: 48}
	return cfg
}

// Wrong secrets are refused late once there are many, and take nobody's turn.
func TestWrongSecretsTakeNobodysTurn(t *testing.T) {
	inBubble(t, func(c *Config) { c.MaxConnectRate = 10 }, func(x *bubble) {
		for range 400 {
			w := x.dial()
			go func() {
				_, _ = w.nc.Write(hello{user: "btn-1", secret: "wrong"}.packet())
				_, _ = w.r.WriteTo(io.Discard)
			}()
		}
		began := time.Now()
		x.join(hello{user: "btn-2"}).ping()
		if took := time.Since(began); took > 0 {
			t.Errorf("a right one took %v", took)
		}
		if n := x.Stats().AuthFail; n > failuresPerSecond+2 {
			t.Errorf("%d were refused at once", n)
		}
		pass(maxFailureWait + time.Second)
		if n := x.Stats().AuthFail; n != 400 {
			t.Errorf("%d refused", n)
		}
	})
}

// At the process's limit of files the oldest that has not signed in is dropped and the next is let in.
func TestWithoutFilesTheOldestStrangerMakesRoom(t *testing.T) {
	h := start(t)
	stranger := h.dial()
	eventually(t, "it is there", func() bool { return h.door.halfOpen() == 1 })
	l, err := listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h.accept(h.patient(&poor{Listener: l, left: 1}), nil)
	}()
	stranger.expectClosed()
	w := dial(t, l.Addr().String())
	if code, _ := w.connect(hello{user: "btn-1"}); code != 0 {
		t.Errorf("CONNACK %#x", code)
	}
	_ = l.Close()
	<-ended
}

// A process with few files: strangers take an eighth of them, devices sign in all the same.
func TestStrangersLeaveFilesForDevices(t *testing.T) {
	c := spawn(t, t.TempDir(), "sh", "-c", `ulimit -n 256; exec "$0"`)
	var all []net.Conn
	defer func() {
		for _, s := range all {
			_ = s.Close()
		}
	}()
	for i := range 600 {
		s, err := net.Dial("tcp", c.addr)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
		if i%10 == 9 {
			all = append(all, quiet(t, func() (net.Conn, error) { return net.Dial("tcp", c.addr) }, fmt.Sprint("bench-", i)))
		}
	}
	if _, sessions := c.weigh(t); sessions != 60 {
		t.Errorf("%d devices signed in, want 60", sessions)
	}
}
