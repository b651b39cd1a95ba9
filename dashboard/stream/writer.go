package stream

import (
	"encoding/json"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/alerts"
)

// write is the client's one writer: it ends when the console is closed or a write fails, and closes the socket, which ends
// the reader.
func (c *client) write() {
	defer close(c.done)
	defer hangUp(c.conn)
	beat, ping := time.NewTicker(c.h.cfg.Heartbeat), time.NewTicker(pingEvery)
	defer beat.Stop()
	defer ping.Stop()
	for {
		c.closeStale()
		if !c.timely(beat, ping) {
			return
		}
		wrote, ok := c.writeNext()
		if !ok {
			return
		}
		if wrote {
			continue
		}
		r := c.current()
		select {
		case <-c.wake:
		case ts, more := <-r.c():
			if !c.writeReplay(r, ts, more) {
				return
			}
		case <-beat.C:
			if !c.heartbeat() {
				return
			}
		case <-ping.C:
			if !c.ping() {
				return
			}
		}
	}
}

// timely writes a heartbeat and a ping that are due, also in the middle of a long queue: the page calls a link without
// heartbeats stale.
func (c *client) timely(beat, ping *time.Ticker) bool {
	select {
	case <-beat.C:
		return c.heartbeat()
	case <-ping.C:
		return c.ping()
	default:
		return true
	}
}

func (c *client) current() *replay {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.replay
}

// c is nil, for ever silent, without a replay.
func (r *replay) c() <-chan []alerts.Transition {
	if r == nil {
		return nil
	}
	return r.sub.C()
}

// writeNext writes the most urgent thing that waits: the end, a control frame, a batch, device states.
func (c *client) writeNext() (wrote, ok bool) {
	c.mu.Lock()
	switch {
	case c.closing:
		code, reason := c.code, c.reason
		c.mu.Unlock()
		c.bye(code, reason)
		return false, false
	case len(c.control) > 0:
		f := c.control[0]
		c.control = c.control[1:]
		c.mu.Unlock()
		return true, c.writeJSON(f)
	case c.replay != nil:
		c.mu.Unlock()
		return false, true // the queue goes on after it
	case len(c.queue) > 0:
		b, from := c.dequeue()
		c.mu.Unlock()
		return true, c.writeBatch(b, from)
	}
	f, err := c.nextDevices()
	c.mu.Unlock()
	switch {
	case err != nil:
		c.h.log.Error("device states can not be shown", "error", err)
		return false, false
	case f == nil:
		return false, true
	}
	return true, c.send(f.prepared)
}

func (c *client) dequeue() (b *batch, after uint64) {
	b, after = c.queue[0], c.sent
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.queued -= b.size()
	c.sent = b.last
	return b, after
}

// writeBatch cuts off what the console has from a snapshot that was ahead of the dispatch.
func (c *client) writeBatch(b *batch, after uint64) bool {
	rest, err := b.after(c.h.d.Source.Epoch(), after, time.Now())
	if err != nil {
		c.h.log.Error("transitions can not be shown", "error", err)
		return false
	}
	return c.send(rest.prepared)
}

// writeReplay writes a part of the replay and ends it when the queue can go on. A replay that the engine cut off is asked
// for again by the console, from where it got.
func (c *client) writeReplay(r *replay, ts []alerts.Transition, more bool) bool {
	c.mu.Lock()
	if c.replay != r { // a resume or an end came in between
		c.mu.Unlock()
		return true
	}
	if !more {
		c.h.metrics.resyncs.Inc()
		c.cutLocked(false)
		c.mu.Unlock()
		return true
	}
	ts = between(ts, c.sent, r.upTo)
	if len(ts) > 0 {
		c.sent = ts[len(ts)-1].N
	}
	if c.sent >= r.upTo {
		c.dropReplay()
	}
	c.mu.Unlock()
	for len(ts) > 0 {
		n := min(len(ts), maxBatch)
		b, err := newBatch(c.h.d.Source.Epoch(), ts[:n], time.Now(), true)
		if err != nil {
			c.h.log.Error("transitions can not be shown", "error", err)
			return false
		}
		if !c.send(b.prepared) {
			return false
		}
		ts = ts[n:]
	}
	return true
}

// between is the part of ts with after < number <= upTo.
func between(ts []alerts.Transition, after, upTo uint64) []alerts.Transition {
	for len(ts) > 0 && ts[0].N <= after {
		ts = ts[1:]
	}
	for len(ts) > 0 && ts[len(ts)-1].N > upTo {
		ts = ts[:len(ts)-1]
	}
	return ts
}

// nextDevices takes a shared frame, or makes one of the console's own waiting states.
func (c *client) nextDevices() (*deviceFrame, error) {
	if len(c.shared) > 0 {
		f := c.shared[0]
		c.shared = c.shared[1:]
		return f, nil
	}
	if len(c.devices) == 0 {
		return nil, nil
	}
	updates := make([]Update, 0, min(len(c.devices), maxDevices))
	for id, raw := range c.devices {
		updates = append(updates, Update{ID: id, JSON: raw})
		delete(c.devices, id)
		if len(updates) == maxDevices {
			break
		}
	}
	return newDeviceFrame(updates, time.Now())
}

// heartbeat names the head that the console must have got to by this frame: what still waits for it is not missing.
func (c *client) heartbeat() bool {
	c.h.mu.Lock()
	head := c.h.head
	c.mu.Lock()
	if c.phase == live && (c.replay != nil || len(c.queue) > 0) {
		head = c.sent
	}
	silent := c.phase == greeting
	c.mu.Unlock()
	c.h.mu.Unlock()
	if silent {
		return true
	}
	f := HeartbeatFrame{T: "hb", Head: head, ServerMS: time.Now().UnixMilli()}
	if c.h.d.Degraded != nil {
		f.Degraded = c.h.d.Degraded()
	}
	return c.writeJSON(f)
}

func (c *client) ping() bool {
	return c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)) == nil
}

func (c *client) bye(code int, reason string) {
	// The console is going anyway: an error changes nothing.
	_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
}

func (c *client) writeJSON(v any) bool {
	b, err := json.Marshal(v)
	if err != nil {
		c.h.log.Error("frame can not be marshalled", "error", err)
		return false
	}
	if c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
		return false
	}
	return c.conn.WriteMessage(websocket.TextMessage, b) == nil
}

func (c *client) send(p *websocket.PreparedMessage) bool {
	if c.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) != nil {
		return false
	}
	return c.conn.WritePreparedMessage(p) == nil
}
