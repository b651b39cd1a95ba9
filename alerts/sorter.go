package alerts

import (
	"bytes"
	"context"
	"strings"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// sorter tells whose each message of the event lane is, and whether it says the same as the one before. It runs on the goroutine
// of the lane's reader. What it finds out is for the order of deciding only: each decision reads its message anew.
type sorter struct {
	world func() world
	now   func() time.Time
	seen  *lastSeen
	inbox *inbox
	from  journal.Position // what lies before has been decided
	done  numbers          // decided beyond it, before the start
}

// sorted is a message and the queue that it goes to.
type sorted struct {
	nothing bool // to decide
	key     string
	as      likeness
	entry   *journal.Entry // nil for a hole; in the reader's memory
	gap     *journal.GapError
	rep     arrival
	at      place
}

// likeness tells whether two messages of a queue differ in nothing but when they came and how they are known again.
type likeness struct {
	foldable      bool
	topic, sender string
	retain        bool
	event         telemetry.Event // without what tells its repeats apart
	unread        telemetry.FieldError
	stranger      bool // it says nothing, and why is in unread
	revision      uint64
}

// item makes what is kept of the message; a repeat of one that waits keeps nothing.
func (s sorted) item() *item {
	it := &item{gap: s.gap, at: s.at, reps: []arrival{s.rep}}
	if s.entry == nil {
		return it
	}
	it.entry = *s.entry
	it.entry.Payload = bytes.Clone(s.entry.Payload)
	it.entry.Topic, it.entry.Device = strings.Clone(s.entry.Topic), strings.Clone(s.entry.Device)
	it.entry.Client = strings.Clone(s.entry.Client)
	it.as = s.as
	it.as.topic, it.as.sender = it.entry.Topic, it.entry.Device
	it.as.event.Type, it.as.event.Assignment = strings.Clone(s.as.event.Type), strings.Clone(s.as.event.Assignment)
	return it
}

// take sorts a batch into the inbox.
func (s *sorter) take(ctx context.Context, b laneBatch) bool {
	list := make([]sorted, 0, len(b.items)+1)
	next := uint64(0)
	if b.gap != nil {
		list, next = append(list, s.hole(b.gap)), b.gap.To+1
	}
	for i := range b.items {
		list = append(list, s.sort(&b.items[i]))
		next = b.items[i].ID + 1
	}
	return s.inbox.put(ctx, list, place{b.next, b.ns, next}, s.now())
}

// hole is an item of its own. Its place is that of the reading before it, where it is met again.
func (s *sorter) hole(gap *journal.GapError) sorted {
	at := s.inbox.readTo()
	at.n = gap.From
	return sorted{
		nothing: gap.Resume.Compare(s.from) <= 0 || s.done.has(gap.From), gap: gap, at: at, rep: arrival{id: gap.From},
	}
}

func (s *sorter) sort(it *laneItem) sorted {
	s.seen.mark(&it.Entry)
	x := sorted{entry: &it.Entry, at: place{it.Pos, it.previousNS, it.ID}, rep: arrival{id: it.ID, receivedNS: it.ReceivedNS}}
	if it.Kind != journal.Publish || it.Pos.Compare(s.from) < 0 || s.done.has(it.ID) {
		x.nothing = true
		return x
	}
	s.locate(&x)
	return x
}

// locate finds the queue. A message that cannot be sorted goes to its sender's strangers; the decision says what is wrong.
func (s *sorter) locate(x *sorted) {
	x.key = "?" + x.entry.Device
	defer func() {
		if recover() != nil {
			x.as = likeness{}
		}
	}()
	w := s.world()
	o, err := w.Locate(x.entry.Topic, x.entry.Device)
	x.as = likeness{foldable: true, topic: x.entry.Topic, sender: x.entry.Device, retain: x.entry.Retain, revision: w.Revision()}
	if err != nil {
		x.as.stranger, x.as.unread = true, fieldFault(err)
		return
	}
	if o.Registered {
		x.key = o.Topic.Device
	}
	if live(*x.entry, o.Topic) {
		x.read(o)
	}
}

// read says what the message is like. States and several calls at once are decided one by one.
func (x *sorted) read(o registry.Origin) {
	c, err := contentOf(*x.entry, &o)
	switch {
	case len(c.Levels) > 0 || len(c.Events) > 1 || c.Unread != nil && len(c.Events) > 0:
		x.as.foldable = false
	case c.Unread != nil:
		x.as.unread = *c.Unread
	case len(c.Events) == 1:
		x.repeatOf(c)
	default:
		x.as.stranger, x.as.unread = true, fieldFault(err)
	}
}

func (x *sorted) repeatOf(c profile.Content) {
	ev := c.Events[0]
	x.rep.identity = strings.Clone(c.Identity)
	for _, id := range c.Also {
		x.rep.also = append(x.rep.also, strings.Clone(id))
	}
	if ev.TS != nil {
		x.rep.ts, x.rep.timed = *ev.TS, true
	}
	ev.TS, ev.Boot, ev.Seq = nil, nil, nil
	x.as.event = ev
}

func (b *inbox) readTo() place {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.read
}
