package broker

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync/atomic"
	"time"

	"watchhouse/journal"
)

const (
	minAcceptBackoff = 5 * time.Millisecond
	maxAcceptBackoff = time.Second
	connectBurst     = 100 // connections that need not wait for their turn
)

// listen binds with probes that find a dead peer in about seven minutes without keeping a battery radio awake.
func listen(address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Minute, Interval: 30 * time.Second, Count: 4}}
	l, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for MQTT on %s: %w", address, err)
	}
	return l, nil
}

// patient is a listener whose Accept fails only once it is closed. Without file descriptors it drops the oldest of those that have not
// signed in, and when there is none it waits for better times. It holds nobody back: what comes in is half open, and the door bounds that.
type patient struct {
	net.Listener
	door   *door
	errors *atomic.Uint64
	log    *slog.Logger
	quit   <-chan struct{}
}

// entrant is a TCP connection that is booked at the door until it has signed in or is closed.
type entrant struct {
	net.Conn
	visitor *visitor
}

func (e *entrant) Close() error {
	e.visitor.leave()
	return e.Conn.Close()
}

// SetLinger is TCP's.
func (e *entrant) SetLinger(seconds int) error { return linger(e.Conn, seconds) }

// expel closes a connection at once and has the system keep nothing of it.
func expel(c net.Conn) {
	_ = linger(c, 0)
	_ = c.Close()
}

// Accept backs off from errors, telling the log about the first of a row.
func (p *patient) Accept() (net.Conn, error) {
	for wait := minAcceptBackoff; ; wait = min(2*wait, maxAcceptBackoff) {
		c, err := p.Listener.Accept()
		if err == nil {
			return &entrant{Conn: c, visitor: p.door.enter(c.RemoteAddr(), func() { expel(c) })}, nil
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		p.errors.Add(1)
		if wait == minAcceptBackoff {
			p.log.Error("accept failed, backing off", "err", err)
		}
		if p.door.makeRoom() {
			wait = minAcceptBackoff / 2
		}
		p.rest(wait)
	}
}

// rest waits, or less when the broker stops.
func (p *patient) rest(d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-p.quit:
	}
}

// accept runs until the listener is closed. A handshake is the connection's own business: nobody waits for it here.
func (b *Broker) accept(l net.Listener, over *tls.Config) {
	for {
		tcp, err := l.Accept()
		if err != nil {
			return
		}
		e := tcp.(*entrant) // as patient gives it
		if over != nil {
			b.adopt(newTLSSocket(e, over), e.visitor)
		} else {
			b.adopt(e, e.visitor)
		}
	}
}

// adopt serves a socket on a goroutine of its own, or closes it when there are too many.
func (b *Broker) adopt(sock socket, v *visitor) {
	c := b.newConn(sock)
	c.visitor = v
	b.readers.Add(1) // before it is in the table: Stop empties the table, then waits
	if !b.table.add(c, b.most) {
		b.readers.Done()
		_ = sock.Close()
		return
	}
	b.count.connections.Add(1)
	go b.serve(c)
}

// serve is a connection's goroutine.
func (b *Broker) serve(c *conn) {
	defer b.readers.Done()
	defer b.farewell(c)
	defer b.contain(c, "reading")
	if c.greet() == nil {
		c.run()
	}
}

const (
	endingsPerSecond = 2500 // connections that end; the first hundred need not wait
	maxEndingWait    = 4 * time.Second
)

// farewell closes the socket, writes the records of a session's end and lets a successor in. Few at a time do, and in their turn: when
// thousands of connections end in one moment, what a call needs of processor and journal must not queue behind all their sockets, wills
// and records.
func (b *Broker) farewell(c *conn) {
	if c.lib != nil {
		b.awaitEnding(c)
	}
	c.finish(reasonClosed)
	b.farewells <- struct{}{}
	defer func() { <-b.farewells }()
	c.mu.Lock()
	reason, q, begun := c.reason, c.qos2, c.ready
	if c.shed != nil {
		c.shed.Stop()
	}
	c.mu.Unlock()
	c.visitor.leave()
	c.frames.release()
	if c.lib != nil {
		b.endSession(c, reason, q, begun)
	}
	b.table.remove(c)
	if c.account != nil {
		_, kept := b.lib.Clients.Get(c.client)
		b.accounts.leave(c, kept)
	}
	b.count.connections.Add(-1)
	close(c.ended)
}

// awaitEnding spreads the endings of sessions over time. A connection that was lost waits no longer when a successor is there: sign-ins
// have a pace of their own.
func (b *Broker) awaitEnding(c *conn) {
	wait := min(b.endings.wait(time.Now()), maxEndingWait)
	if wait <= 0 || b.stopping.Load() {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-c.leaving():
	case <-b.quit:
	}
}

func (b *Broker) endSession(c *conn, reason string, q *inbound2, begun bool) {
	b.count.sessions.Add(-1)
	c.lib.Stop(nil)
	if persistent(c.lib) && reason != reasonPanic {
		b.sessions.keep(c.client, q, time.Now().Add(expiry(c.lib)))
	} else {
		b.dropClient(c.lib)
	}
	c.lib.Net.Conn = nil // an absent client's session does not hold its connection in memory
	if c.will != nil && begun && reason != reasonGoodbye && !b.stopping.Load() {
		b.publishWill(c)
	}
	if err := b.record(c, journal.Disconnect, disconnected{Reason: reason}); err != nil {
		b.complain(err)
	}
}

// contain is deferred around everything that handles what a client sent: a panic costs that client its connection and nobody
// else anything. The stack holds addresses, not contents.
func (b *Broker) contain(c *conn, where string) {
	p := recover()
	if p == nil {
		return
	}
	b.count.panics.Add(1)
	b.log.Error("panic contained", "where", where, "panic", fmt.Sprintf("%.200v", p), "stack", string(debug.Stack()))
	if c != nil {
		c.cut(reasonPanic)
		_ = c.sock.Close() // the sending goroutine, which would have done it, may be the one that panicked
	}
}
