package broker

import (
	"errors"
	"sync/atomic"
	"time"

	"watchhouse/journal"
)

// laneID numbers the three lanes for indexing.
type laneID uint8

const (
	eventLane laneID = iota
	stateLane
	telemetryLane
	laneCount
)

// life reports whether a lane is in life.db, whose failure closes connections.
func (l laneID) life() bool { return l != telemetryLane }

// The caps of what a connection may have handed to the journal and not committed yet.
const (
	telemetryWindow = 256                    // messages, also the Receive Maximum that v5 clients are told
	telemetryBytes  = 1 << 20                // with envelopeBytes for each
	lifeWindow      = 1024                   // messages; at the cap the reader waits, nothing is dropped
	lifeBytes       = 4 << 20                //
	globalBytes     = 30 << 20               // of one lane, of all connections: below the size at which the journal's lane is full
	globalMessages  = 48 << 10               // likewise
	leastWindow     = 8                      // what the global cap leaves to a connection however many there are; also to one that has less in flight
	envelopeBytes   = 256                    // what a message costs in memory beside its payload and topic
	maxRefusals     = 4096                   // 0x97 waiting for their turn; a client beyond it ignores its Receive Maximum
	patience        = 3 * time.Second        // a commit that takes longer is that of a disk that stands still, not of a slow one
	lookAgain       = 100 * time.Millisecond // for room that others have made
	busyPause       = 5 * time.Millisecond   // before a call is offered again to a lane that has no room for the moment
)

// errLifeFailed ends a connection: the event or state lane did not take its message.
var errLifeFailed = errors.New("life does not take messages")

// flow counts one connection's messages of one lane and keeps their acks in order. Guarded by conn.mu.
type flow struct {
	submitted, completed uint32 // modulo 2^32
	bytes                int
	refusals             []refusal
}

// refusal is a negative ack that waits until what came before it has its own.
type refusal struct {
	after uint32 // flow.submitted when it was refused
	ack   ack
}

// ack is what a message is answered with; kind 0 is QoS 0: nothing.
type ack struct {
	kind byte
	id   uint16
	code byte
}

func (f *flow) inFlight() int { return int(f.submitted - f.completed) }

// pending is a message in the hands of the journal. It is reused; done is bound once, so a message costs no closure.
type pending struct {
	c    *conn
	b    *Broker
	lane laneID
	size int
	ack  ack
	q    *inbound2 // of a QoS 2 message
	done func(journal.Receipt, error)

	topic   string   // of a retained status
	payload []byte   // likewise
	qos     byte     // likewise
	retain  bool     // likewise
	fan     *message // for subscribers, nil when there are none
	reply   *message // to the sender, nil = none
}

func (b *Broker) newPending() *pending {
	p, ok := b.pendings.Get().(*pending)
	if !ok {
		p = &pending{b: b}
		p.done = p.complete
	}
	return p
}

func (p *pending) recycle() {
	done, b := p.done, p.b
	*p = pending{b: b, done: done}
	b.pendings.Put(p)
}

// lane gives the journal's lane.
func (b *Broker) lane(l laneID) submitter {
	switch l {
	case eventLane:
		return b.stores.event
	case stateLane:
		return b.stores.state
	}
	return b.stores.telemetry
}

// admit makes room for a message or says that there is none. At the cap it waits, and the client is slowed by TCP: a slow disk is a slow
// answer. On telemetry it gives up when the disk stands still, and does not wait again until the connection has drained to half.
func (c *conn) admit(l laneID, size int) (ok bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.flows[l]
	if f.inFlight() < telemetryWindow/2 {
		c.impatient = false
	}
	if c.full(l, size) && (l.life() || !c.impatient) {
		c.wait(l, size)
	}
	switch {
	case c.closing:
		return false, errClosing
	case c.full(l, size):
		c.impatient = true
		return false, nil
	}
	f.submitted++
	c.b.count.lanes[l].enter(size, f.bytes == 0)
	f.bytes += size
	return true, nil
}

// laneLoad counts what all connections have in flight on a lane.
type laneLoad struct{ messages, bytes, flowing atomic.Int64 } // flowing: connections that have something in flight

func (a *laneLoad) enter(size int, first bool) {
	a.messages.Add(1)
	a.bytes.Add(int64(size))
	if first {
		a.flowing.Add(1)
	}
}

func (a *laneLoad) leave(size int, last bool) {
	a.messages.Add(-1)
	a.bytes.Add(-int64(size))
	if last {
		a.flowing.Add(-1)
	}
}

var errClosing = errors.New("connection is closing")

// full reports whether a message is over the connection's cap: its own or its share of the lane's, whichever is less. A connection with
// messages in flight gets room when they commit, so none starves behind the others; a call of one that has nothing in flight passes in
// any case.
func (c *conn) full(l laneID, size int) bool {
	f, all := &c.flows[l], &c.b.count.lanes[l]
	if l.life() && f.inFlight() == 0 {
		return false
	}
	flowing := max(1, int(all.flowing.Load()))
	window, bytes := telemetryWindow, telemetryBytes
	if l.life() {
		window, bytes = lifeWindow, lifeBytes
	}
	return f.inFlight() >= min(window, max(leastWindow, globalMessages/flowing)) ||
		f.bytes > 0 && f.bytes+size > min(bytes, globalBytes/flowing) ||
		f.inFlight() >= leastWindow && all.messages.Load() >= globalMessages ||
		all.bytes.Load()+int64(size) > globalBytes
}

// wait releases c.mu until the flow has room or the connection closes. On telemetry it gives up when nothing at all was committed
// for as long as patience lasts: a disk that is only slow lets everybody have their turn.
func (c *conn) wait(l laneID, size int) {
	look := time.NewTicker(lookAgain)
	defer look.Stop()
	seen, since := c.b.count.committed.Load(), time.Now()
	for !c.closing && c.full(l, size) && (l.life() || time.Since(since) < c.b.patience) {
		room := make(chan struct{})
		c.room = room
		c.mu.Unlock()
		select {
		case <-room:
		case <-look.C:
		}
		if now := c.b.count.committed.Load(); now != seen {
			seen, since = now, time.Now()
		}
		c.mu.Lock()
	}
	c.extend() // the silence was ours: nobody is cut for what could not be read
}

// signal wakes a reader that waits for room. c.mu is held.
func (c *conn) signal() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// submit hands a message to its lane. The error is errLifeFailed, errClosing, or one that the caller answers with a refusal:
// telemetry's own, or that this sender holds its share of life.db.
func (c *conn) submit(p *pending, m journal.Message) error {
	p.c = c
	lane := c.b.lane(p.lane)
	calls := p.lane.life()
	err := lane.Submit(m, p.done)
	for calls && errors.Is(err, journal.ErrBusy) && !c.closed() {
		c.rest(busyPause) // it has been read: it waits, and the client with it
		err = lane.Submit(m, p.done)
	}
	if err == nil { // p is complete's now, and may be another's already
		return nil
	}
	c.settle(p, nil)
	p.q.forget(p.ack.id)
	life := calls && !errors.Is(err, journal.ErrSenderFull)
	p.recycle()
	if life {
		c.b.count.journalFail.Add(1)
		c.b.complain(err)
		return errLifeFailed
	}
	return err
}

// complete runs on the committer's goroutine: it takes short locks only and never touches a socket.
func (p *pending) complete(r journal.Receipt, err error) {
	c, b := p.c, p.b
	switch {
	case err == nil:
		b.committed(p, r)
		if c.settle(p, p.answerTo()); p.reply != nil { // after the acknowledgement; best effort, as at the platforms
			c.deliver(outgoing{m: p.reply}, maxQueued)
		}
	case p.lane.life():
		b.count.journalFail.Add(1)
		b.complain(err)
		p.q.forget(p.ack.id)
		c.cut(reasonJournal)
		c.settle(p, nil)
	default:
		b.count.shed.Add(1)
		p.q.forget(p.ack.id)
		c.settle(p, c.refusalOf(p.ack))
	}
	p.recycle()
}

// answerTo is the ack for p's own connection. That of a QoS 2 message goes to the connection which has the session now.
func (p *pending) answerTo() *ack {
	if p.ack.kind != 0 {
		p.b.count.acked.Add(1)
	}
	if p.q == nil {
		return &p.ack
	}
	switch heir := p.q.commit(p.ack.id); heir {
	case p.c:
		return &p.ack
	case nil:
	default:
		heir.respond(p.ack)
	}
	return nil
}

// committed makes a stored message visible to subscribers.
func (b *Broker) committed(p *pending, r journal.Receipt) {
	if !p.lane.life() {
		b.count.committed.Add(1)
	}
	if p.retain {
		b.retained.put(p.topic, p.payload, p.qos, r.Pos)
	}
	if p.fan != nil {
		b.offer(p.fan)
	}
}
