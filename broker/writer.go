package broker

import (
	"cmp"
	"time"
)

const (
	maxOutBytes   = 256 << 10       // a client that leaves more than this unread is cut off
	sendBytes     = 16 << 10        // publishes are added to a write up to about here
	keepOutBytes  = 64              // a quiet connection keeps no larger buffer for sending
	farewellLimit = 2 * time.Second // how long a closing connection may take to send what it still has
)

var longAgo = time.Unix(1, 0)

// writer is the sending half of a connection, guarded by conn.mu. Whoever adds to out or to the queue calls wake; the goroutine
// it starts lives while there is something to send and holds no lock while it is in the socket.
type writer struct {
	out     []byte // acks and control packets, in order
	pub     *outbound
	ready   bool   // CONNACK has been written: publishes may follow
	busy    bool   // the sending goroutine exists
	closing bool   // no more may be added; the socket closes when out is empty
	dead    bool   // nothing more is sent
	gone    bool   // the socket is closed
	reason  string // why it ended, the first one
}

func (c *conn) closed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// send appends p to what is to be sent; false when the connection is closing.
func (c *conn) send(p []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return false
	}
	c.out = append(c.out, p...)
	c.wake()
	return true
}

// wake starts the sending goroutine if there is something to send and none. c.mu is held. It also guards against a client that
// never reads.
func (c *conn) wake() {
	if c.closing || len(c.out) == 0 && !c.pub.waiting() {
		return
	}
	if len(c.out) > maxOutBytes {
		c.abandon()
		c.stop(reasonSlow, false)
		return
	}
	if !c.busy && !c.dead {
		c.busy = true
		c.b.senders.Go(c.flush)
	}
}

// flush sends until nothing is left. It is the only one that writes to the socket.
func (c *conn) flush() {
	defer c.b.contain(c, "sending")
	var spare []byte
	for {
		batch := c.nextBatch(spare)
		if batch == nil {
			return
		}
		if _, err := c.sock.Write(batch); err != nil {
			c.abandon()
			c.cut(reasonClosed)
		}
		spare = batch
	}
}

// abandon has Close reset the connection: what a client has left unread for so long need not occupy the kernel for minutes more.
func (c *conn) abandon() {
	if tcp, ok := c.sock.(interface{ SetLinger(seconds int) error }); ok {
		_ = tcp.SetLinger(0)
	}
}

// nextBatch takes what is to be sent and leaves spare to be filled meanwhile; nil when there is nothing, and then the goroutine
// is no longer counted as alive. The deadline is set under the lock, so that one which stop sets is never put off again.
func (c *conn) nextBatch(spare []byte) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead {
		c.addPublishes()
	}
	if len(c.out) > 0 && !c.dead {
		batch := c.out
		c.out = spare[:0]
		_ = c.sock.SetWriteDeadline(c.writeDeadline())
		return batch
	}
	c.busy = false
	if c.out = nil; cap(spare) <= keepOutBytes {
		c.out = spare[:0]
	}
	if c.closing && !c.gone {
		c.dead, c.gone = true, true
		_ = c.sock.Close()
	}
	return nil
}

func (c *conn) writeDeadline() time.Time {
	if c.closing {
		return time.Now().Add(min(c.b.cfg.WriteTimeout, farewellLimit))
	}
	return time.Now().Add(c.b.cfg.WriteTimeout)
}

// end closes the connection after what it still has to send.
func (c *conn) end(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop(reason, true)
}

// note keeps why the connection ended, for the one who closes it.
func (c *conn) note(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reason = cmp.Or(c.reason, reason)
}

// finish is end for the connection's own goroutine. When there is nothing to send it closes the socket itself: thousands that end in one
// moment need no goroutine each for it.
func (c *conn) finish(reason string) {
	c.mu.Lock()
	own := !c.busy && !c.gone && len(c.out) == 0 && !c.pub.waiting()
	c.busy = c.busy || own
	c.stop(reason, true)
	c.mu.Unlock()
	if own {
		c.flush()
	}
}

// leaving gives a channel that closes when somebody asks for the connection to be closed; nil when somebody has.
func (c *conn) leaving() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return nil
	}
	c.room = make(chan struct{})
	return c.room
}

// cut closes the connection at once: nothing that waits is sent, an ack least of all.
func (c *conn) cut(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop(reason, false)
}

// bye is end with a DISCONNECT before it, for a v5 client.
func (c *conn) bye(code byte, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing && c.v5 {
		c.out = append(c.out, typeDisconnect<<4, 1, code)
	}
	c.stop(reason, true)
}

// stop is called with c.mu held, by any goroutine, the committer's too: it never waits for the socket.
func (c *conn) stop(reason string, sendRest bool) {
	if c.gone {
		return
	}
	if !c.closing {
		c.closing, c.reason = true, cmp.Or(c.reason, reason)
		c.signal()
	}
	if !sendRest {
		c.dead, c.out = true, nil
	}
	_ = c.sock.SetReadDeadline(longAgo) // wakes the reader
	switch {
	case !c.busy:
		c.busy = true
		c.b.senders.Go(c.flush)
	case c.dead:
		_ = c.sock.SetWriteDeadline(longAgo) // wakes the sending goroutine, which closes the socket
	default:
		_ = c.sock.SetWriteDeadline(c.writeDeadline())
	}
}
