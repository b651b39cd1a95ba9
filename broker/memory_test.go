package broker

import (
	"crypto/tls"
	"flag"
	"net"
	"strconv"
	"sync"
	"testing"
)

var idleConnections = flag.Int("idle", 2000, "connections of TestIdleConnectionMemory; 15000 needs as many file descriptors in two processes")

// A quiet signed-in connection costs the broker's process no more than 25 KB of resident memory, garbage included.
func TestIdleConnectionMemory(t *testing.T) {
	weighIdle(t, 25_000, func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) })
}

// Over TLS it costs about twice as much.
func TestIdleConnectionMemoryTLS(t *testing.T) {
	own := newCertificates(t)
	t.Setenv(childCertificates, own.dir)
	weighIdle(t, 60_000, func(addr string) (net.Conn, error) { return tls.Dial("tcp", addr, own.client("")) })
}

func weighIdle(t *testing.T, most float64, dial func(addr string) (net.Conn, error)) {
	c := spawn(t, t.TempDir())
	before, _ := c.weigh(t)
	n := *idleConnections
	socks := make([]net.Conn, n)
	var dialers sync.WaitGroup
	for k := range 8 {
		dialers.Go(func() {
			for i := k; i < n; i += 8 {
				socks[i] = quiet(t, func() (net.Conn, error) { return dial(c.addr) }, "bench-"+strconv.Itoa(i))
			}
		})
	}
	dialers.Wait()
	defer func() {
		for _, s := range socks {
			_ = s.Close()
		}
	}()
	after, sessions := c.weigh(t)
	each := float64(after-before) / float64(n)
	t.Logf("%d idle connections: %.1f KB resident each", sessions, each/1000)
	if sessions != n || each > most*memoryFactor {
		t.Errorf("%d sessions, %.0f bytes each", sessions, each)
	}
}

func quiet(t *testing.T, dial func() (net.Conn, error), id string) net.Conn {
	nc, err := dial()
	if err != nil {
		t.Error(err)
		return nil
	}
	_, err = nc.Write(hello{user: id, keepalive: 300}.packet())
	connack := make([]byte, 4)
	if err == nil {
		_, err = nc.Read(connack)
	}
	if err != nil || connack[3] != 0 {
		t.Errorf("sign in: %v % x", err, connack)
	}
	return nc
}
