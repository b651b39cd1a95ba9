package hub

import (
	"container/list"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
)

// httpDoor bounds the sockets of the page's address that ask for nothing: new ones without a request, and idle ones between two. The
// oldest makes room, of its address when that has its most, of all when all places are taken or when files are short. A request that is
// being answered and an open stream are no such sockets, so a crowd of silent ones keeps no console out.
type httpDoor struct {
	perAddress, total int

	mu      sync.Mutex
	waiting *list.List // of *caller, the longest waiting first
	by      map[netip.Addr]int
	callers map[net.Conn]*list.Element
}

// caller is a socket that waits.
type caller struct {
	conn net.Conn
	from netip.Addr
}

const (
	httpWaitingPerAddress = 256 // browsers of an office behind one address keep some six each
	httpWaiting           = 2048
)

// newHTTPDoor takes an eighth of the files that the process may open, 0 = not known.
func newHTTPDoor(files int) *httpDoor {
	d := &httpDoor{
		perAddress: httpWaitingPerAddress, total: httpWaiting,
		waiting: list.New(), by: map[netip.Addr]int{}, callers: map[net.Conn]*list.Element{},
	}
	if files > 0 {
		d.total = max(1, min(d.total, files/8))
	}
	return d
}

// connState is http.Server.ConnState.
func (d *httpDoor) connState(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew, http.StateIdle:
		for _, old := range d.enter(conn) {
			_ = old.Close() // nobody is served on it
		}
	case http.StateActive, http.StateHijacked, http.StateClosed:
		d.leave(conn)
	}
}

func (d *httpDoor) enter(conn net.Conn) (out []net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takeOut(conn)
	from := addressOf(conn.RemoteAddr())
	if d.by[from] >= d.perAddress {
		out = append(out, d.oldest(func(c *caller) bool { return c.from == from }))
	} else if d.waiting.Len() >= d.total {
		out = append(out, d.oldest(func(*caller) bool { return true }))
	}
	d.callers[conn] = d.waiting.PushBack(&caller{conn, from})
	d.by[from]++
	return out
}

// oldest strikes off who has waited the longest of some; there is one.
func (d *httpDoor) oldest(of func(*caller) bool) net.Conn {
	for e := d.waiting.Front(); e != nil; e = e.Next() {
		if c := e.Value.(*caller); of(c) {
			d.takeOut(c.conn)
			return c.conn
		}
	}
	return nil
}

// takeOut: d.mu is held.
func (d *httpDoor) takeOut(conn net.Conn) {
	e, known := d.callers[conn]
	if !known {
		return
	}
	c := e.Value.(*caller)
	d.waiting.Remove(e)
	delete(d.callers, conn)
	if d.by[c.from]--; d.by[c.from] == 0 {
		delete(d.by, c.from)
	}
}

func (d *httpDoor) leave(conn net.Conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.takeOut(conn)
}

// makeRoom closes who has waited the longest.
func (d *httpDoor) makeRoom() {
	d.mu.Lock()
	old := d.oldest(func(*caller) bool { return true })
	d.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
}

// addressOf is an IPv4 address, or the /64 of an IPv6 one.
func addressOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip
	}
	network, err := ip.Prefix(64)
	if err != nil {
		return ip
	}
	return network.Addr()
}

// roomyListener makes room when files are short; the server then tries again by itself.
type roomyListener struct {
	net.Listener
	door *httpDoor
}

func (l roomyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		l.door.makeRoom()
	}
	return conn, err
}
