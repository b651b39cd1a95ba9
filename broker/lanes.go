package broker

import (
	"errors"
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
	telemetryWindow = 256      // messages, also the Receive Maximum that v5 clients are told
	telemetryBytes  = 1 << 20  // with envelopeBytes for each
	lifeWindow      = 1024     // messages; at the cap the reader waits, nothing is dropped
	lifeBytes       = 4 << 20  //
	globalBytes     = 30 << 20 // telemetry of all connections, below the size at which the journal's lane is full
	globalMessages  = 48 << 10 // likewise
	leastWindow     = 8        // what the global cap leaves to a connection however many there are
	envelopeBytes   = 256      // what a message costs in memory beside its payload and topic
	maxRefusals     = 4096     // 0x97 waiting for their turn; a client beyond it ignores its Receive Maximum
	patience        = 250 * time.Millisecond
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

// admit makes room for a message or says that there is none. At the cap it waits, and the client is slowed by TCP. On telemetry it
// gives up when the disk stands still, and does not wait again until the connection has drained to half.
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
	if f.submitted++; !l.life() {
		c.b.count.inFlight.Add(int64(size))
		if f.bytes == 0 {
			c.b.count.flowing.Add(1)
		}
	}
	f.bytes += size
	return true, nil
}

var errClosing = errors.New("connection is closing")

// full reports whether a message is over the connection's cap. On telemetry that is its own or its share of the global one,
// whichever is less: a connection with messages in flight gets room when they commit, so none starves behind the others.
func (c *conn) full(l laneID, size int) bool {
	f := &c.flows[l]
	if l.life() {
		return f.inFlight() >= lifeWindow || f.bytes > 0 && f.bytes+size > lifeBytes
	}
	flowing := max(1, int(c.b.count.flowing.Load()))
	window := min(telemetryWindow, max(leastWindow, globalMessages/flowing))
	return f.inFlight() >= window ||
		f.bytes > 0 && f.bytes+size > min(telemetryBytes, globalBytes/flowing) ||
		c.b.count.inFlight.Load()+int64(size) > globalBytes
}

// wait releases c.mu until the flow has room or the connection closes. On telemetry it gives up when nothing at all was committed
// for as long as patience lasts: a disk that is only slow lets everybody have their turn.
func (c *conn) wait(l laneID, size int) {
	var tick <-chan time.Time
	if !l.life() {
		ticker := time.NewTicker(patience)
		defer ticker.Stop()
		tick = ticker.C
	}
	seen, still := c.b.count.committed.Load(), false
	for !still && !c.closing && c.full(l, size) {
		room := make(chan struct{})
		c.room = room
		c.mu.Unlock()
		select {
		case <-room:
		case <-tick:
			now := c.b.count.committed.Load()
			seen, still = now, now == seen
		}
		c.mu.Lock()
	}
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
	err := c.b.lane(p.lane).Submit(m, p.done)
	if err == nil {
		return nil
	}
	c.settle(p, nil)
	p.q.forget(p.ack.id)
	life := p.lane.life() && !errors.Is(err, journal.ErrSenderFull)
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
		c.settle(p, p.answerTo())
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
