package broker

import (
	"container/list"
	"errors"
	"maps"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Strangers is what those may take who have not signed in yet: sockets that are half open, from accept until a CONNECT whose secret is
// right, TLS handshake and WebSocket upgrade included.
type Strangers struct {
	PerAddress int `yaml:"per_address"` // one more for each account that has signed in from the address before
	Total      int `yaml:"total"`       // at most an eighth of the files that the process may have open
}

// DefaultStrangers leave room for a building behind one address whose devices come back at once, before any of them is known.
func DefaultStrangers() Strangers { return Strangers{PerAddress: 256, Total: 2048} }

func (s Strangers) validate() error {
	return errors.Join(
		between("strangers.per_address", s.PerAddress, 1, 1_000_000),
		between("strangers.total", s.Total, 1, 1_000_000),
	)
}

// within fits the limits to the files that the process may have open, 0 = unknown: seven of eight are for those who have signed in.
func (s Strangers) within(files int) Strangers {
	if files > 0 {
		s.Total = max(1, min(s.Total, files/8))
	}
	return s
}

// door knows the half-open sockets. The oldest makes room: of its address when that is full, of all when all places are taken, those
// of addresses that nobody has ever signed in from first. So a stranger delays nobody, and who sends its CONNECT at once gets in.
type door struct {
	limits  Strangers
	dropped atomic.Uint64

	mu       sync.Mutex
	by       map[netip.Prefix]*list.List // of *visitor, oldest first
	unknown  list.List                   // likewise, of addresses without guests
	familiar list.List                   // likewise, of the others
	guests   guestbook
	failures map[netip.Prefix]*meter // sign-ins that were wrong
	shakes   map[netip.Prefix]*meter // TLS handshakes
}

// visitor is one half-open socket. Its fields are guarded by door.mu.
type visitor struct {
	door *door
	from netip.Prefix
	drop func()

	all     *list.List
	inAll   *list.Element // nil once it has left
	inPlace *list.Element
}

func newDoor(l Strangers) *door {
	return &door{limits: l, by: map[netip.Prefix]*list.List{}, guests: newGuestbook(), failures: map[netip.Prefix]*meter{}, shakes: map[netip.Prefix]*meter{}}
}

// placeOf is the address as the limits see it: of IPv6 the network that one site has for itself.
func placeOf(a net.Addr) netip.Prefix {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Prefix{}
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	place, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return place
}

// enter books a socket; drop closes it, and may be called at once for another one.
func (d *door) enter(a net.Addr, drop func()) *visitor {
	v, out := d.book(a, drop)
	for _, old := range out {
		d.dropped.Add(1)
		old.drop()
	}
	return v
}

func (d *door) book(a net.Addr, drop func()) (v *visitor, out []*visitor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v = &visitor{door: d, from: placeOf(a), drop: drop, all: &d.unknown}
	known := d.guests.at(v.from)
	if known > 0 {
		v.all = &d.familiar
	}
	place := d.by[v.from]
	if place == nil {
		place = list.New()
		d.by[v.from] = place
	}
	if place.Len() >= d.limits.PerAddress+known {
		out = append(out, d.takeOut(place.Front().Value.(*visitor)))
	} else if old := d.oldest(); old != nil && d.unknown.Len()+d.familiar.Len() >= d.limits.Total {
		out = append(out, d.takeOut(old))
	}
	d.by[v.from] = place // it may just have become empty
	v.inPlace, v.inAll = place.PushBack(v), v.all.PushBack(v)
	return v, out
}

// oldest is who makes room for all. d.mu is held.
func (d *door) oldest() *visitor {
	for _, l := range []*list.List{&d.unknown, &d.familiar} {
		if first := l.Front(); first != nil {
			return first.Value.(*visitor)
		}
	}
	return nil
}

// takeOut strikes a visitor off. d.mu is held.
func (d *door) takeOut(v *visitor) *visitor {
	if v.inAll == nil {
		return v
	}
	v.all.Remove(v.inAll)
	v.inAll = nil
	place := d.by[v.from]
	if place.Remove(v.inPlace); place.Len() == 0 {
		delete(d.by, v.from)
	}
	return v
}

// makeRoom drops the oldest of all, when files are short; false when there is none.
func (d *door) makeRoom() bool {
	d.mu.Lock()
	old := d.oldest()
	if old != nil {
		d.takeOut(old)
	}
	d.mu.Unlock()
	if old != nil {
		d.dropped.Add(1)
		old.drop()
	}
	return old != nil
}

// leave says that a socket is half open no more. Idempotent.
func (v *visitor) leave() {
	if v == nil {
		return
	}
	v.door.mu.Lock()
	defer v.door.mu.Unlock()
	v.door.takeOut(v)
}

// halfOpen is how many there are.
func (d *door) halfOpen() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unknown.Len() + d.familiar.Len()
}

const (
	failuresPerSecond = 20 // sign-ins of one address that are refused at once; further ones are refused late
	failureBurst      = time.Second
	maxFailureWait    = 2 * time.Second
)

// failed charges a wrong sign-in to its address and gives how late it is to be refused. Right ones do not wait for it.
func (d *door) failed(a net.Addr, now time.Time) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := meterAt(d.failures, placeOf(a))
	if m.due.Sub(now) > failureBurst+maxFailureWait {
		return maxFailureWait
	}
	return m.take(now, time.Second/failuresPerSecond, failureBurst)
}

func meterAt(all map[netip.Prefix]*meter, place netip.Prefix) *meter {
	m := all[place]
	if m == nil {
		m = &meter{}
		all[place] = m
	}
	return m
}

// shake charges a TLS handshake to its address, which has so many a second, and gives how long it must wait; false when that is longer
// than a client would.
func (d *door) shake(a net.Addr, now time.Time, perSecond int, most time.Duration) (wait time.Duration, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, interval := meterAt(d.shakes, placeOf(a)), time.Second/time.Duration(perSecond)
	burst := connectBurst * interval
	if m.due.Sub(now) > burst+most {
		return 0, false
	}
	return m.take(now, interval, burst), true
}

// sweep forgets failures that are over.
func (d *door) sweep(now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	over := func(_ netip.Prefix, m *meter) bool { return m.idle(now) }
	maps.DeleteFunc(d.failures, over)
	maps.DeleteFunc(d.shakes, over)
}
