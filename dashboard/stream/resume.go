package stream

import (
	"errors"
	"time"

	"watchhouse/alerts"
)

// hello answers the first frame of a console, or a later one of a page that began anew.
func (h *Hub) hello(c *client, f ClientFrame) {
	now := time.Now().UnixMilli()
	w := WelcomeFrame{
		T: "welcome", Epoch: h.d.Source.Epoch(), RingMin: h.d.Source.Oldest(), ServerMS: now,
		HbMS: h.cfg.Heartbeat.Milliseconds(), Build: h.d.Build, Resume: "snapshot", User: WelcomeUser{Name: c.who.Name, Role: c.who.Role},
	}
	var all []Update
	if f.Epoch == w.Epoch && h.d.Devices != nil {
		all = h.d.Devices() // taken before attach: what changes from then on comes as frames
	}
	sub := h.position(f)
	h.mu.Lock()
	defer h.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Head = h.head
	if sub == nil {
		c.begin(waiting)
		c.control = append(c.control, w)
		c.nudge()
		return
	}
	w.Resume = "ok"
	c.begin(live)
	c.control = append(c.control, w)
	c.attach(f.Seq, h.head, sub)
	c.seenTo = f.Seq
	for _, u := range all {
		c.devices[u.ID] = u.JSON
	}
}

// resume goes on after the number the console has, from a gap, an overflow or a snapshot.
func (h *Hub) resume(c *client, f ClientFrame) {
	sub := h.position(f)
	h.mu.Lock()
	defer h.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == greeting { // before hello nothing is promised
		if sub != nil {
			c.stale = append(c.stale, sub)
			c.nudge()
		}
		return
	}
	if sub == nil {
		c.cutLocked(true)
		return
	}
	snapshotted := f.Seq > c.sent || c.sent == 0
	c.begin(live)
	c.attach(f.Seq, h.head, sub)
	if snapshotted {
		c.seenTo = 0 // the page shows all that is open in its snapshot
	}
}

// position subscribes at f's place, before any lock is held as it may read the ledger; nil = the console needs a snapshot.
func (h *Hub) position(f ClientFrame) Subscription {
	// A number ahead of the ledger is of another one with the same id, such as one from before a restore.
	if f.Epoch != h.d.Source.Epoch() || f.Seq > h.d.Source.View().Seq {
		return nil
	}
	sub, err := h.d.Source.Subscribe(f.Seq)
	if err != nil {
		if !errors.Is(err, alerts.ErrTooOld) {
			h.log.Error("replay can not subscribe", "error", err)
		}
		return nil
	}
	return sub
}

// begin forgets what was queued for the console's former position.
func (c *client) begin(p phase) {
	c.dropReplay()
	c.queue, c.queued, c.control, c.phase = nil, 0, nil, p
}

// attach makes the console's stream go on after seq: by a replay up to head, or at once if seq is there or, by a snapshot
// newer than the last dispatch, ahead of it.
func (c *client) attach(seq, head uint64, sub Subscription) {
	c.sent, c.liveFrom = seq, max(seq, head)
	if seq < head {
		c.replay = &replay{sub: sub, upTo: head}
	} else {
		c.stale = append(c.stale, sub)
	}
	c.nudge()
}
