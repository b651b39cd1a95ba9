package live

import (
	"context"
	"errors"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

const readChunk = 1024

// follow applies a lane's entries from its cursor on, for ever.
func (p *Projection) follow(ctx context.Context, name journal.LaneName, lane Lane) {
	p.mu.Lock()
	at := p.cursors[name]
	p.mu.Unlock()
	at, err := recent(ctx, lane, at, p.cfg.CatchUp)
	if err != nil && ctx.Err() == nil {
		p.log.Error("lane can not be located, device states begin at its head", "lane", string(name), "error", err)
		at = lane.Head()
	}
	failing := false
	for ctx.Err() == nil {
		entries, next, err := lane.Read(ctx, at, readChunk)
		var gap *journal.GapError
		switch {
		case errors.As(err, &gap):
			p.log.Error("lane has a gap", "lane", string(name), "from", gap.From, "to", gap.To, "error", gap.Err)
			next = gap.Resume
		case err != nil:
			if !failing && ctx.Err() == nil {
				p.log.Error("lane can not be read", "lane", string(name), "error", err)
			}
			failing = true
			pause(ctx, time.Second)
			continue
		}
		failing = false
		p.apply(name, entries, next)
		if at = next; len(entries) > 0 || gap != nil {
			continue
		}
		if err := lane.Wait(ctx, at); err != nil {
			pause(ctx, 100*time.Millisecond) // ctx ended, or the next Read says what is wrong
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// recent moves at towards the head until at most limit entries follow: device states are worth a bounded wait only.
func recent(ctx context.Context, lane Lane, at journal.Position, limit int) (journal.Position, error) {
	if first := lane.First(); at.Compare(first) < 0 {
		at = first
	}
	depth := lane.Depth(at)
	if depth <= uint64(limit) {
		return at, nil
	}
	if limit == 0 {
		return lane.Head(), nil
	}
	entries, _, err := lane.Read(ctx, at, 1)
	if err != nil || len(entries) == 0 {
		return lane.Head(), err
	}
	return lane.Locate(ctx, entries[0].ID+depth-uint64(limit))
}

func (p *Projection) apply(name journal.LaneName, entries []journal.Entry, next journal.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cursors[name] = next
	for i := range entries {
		p.applyEntry(&entries[i])
	}
}

func (p *Projection) applyEntry(e *journal.Entry) {
	switch e.Kind {
	case journal.Publish:
		p.publish(e)
	case journal.Will:
		if d := p.of(e.Topic, e.Device); d != nil {
			d.setOnline(new(false))
		}
	case journal.Connect:
		p.connect(e)
	case journal.Disconnect:
		p.disconnect(e)
	case journal.HubStart:
		p.restarted()
	case journal.Tick:
	}
}

// publish: any message is a sign of life, of a gateway too when it speaks for another.
func (p *Projection) publish(e *journal.Entry) {
	if sender := p.devices[e.Device]; sender != nil {
		sender.seen(e.ReceivedNS)
	}
	t, err := telemetry.ParseTopic(e.Topic)
	if err != nil {
		p.foreign(e)
		return
	}
	d := p.devices[t.Device]
	if d == nil {
		return
	}
	d.seen(e.ReceivedNS)
	switch t.Channel {
	case telemetry.ChannelTelemetry:
		d.add(reading{payload: e.Payload, receivedNS: e.ReceivedNS})
	case telemetry.ChannelStatus:
		if online, err := telemetry.DecodeStatus(e.Payload); err == nil {
			d.setOnline(&online)
		}
	}
}

// foreign applies a message of a profile. What a bridge has retained is old, but for what it says of who is there.
func (p *Projection) foreign(e *journal.Entry) {
	o, err := p.d.Registry.Locate(e.Topic, e.Device)
	d := p.devices[o.Topic.Device]
	if err != nil || d == nil {
		return
	}
	if o.Topic.Channel == telemetry.ChannelStatus {
		if c, _ := o.Read(e.Payload); c.Online != nil {
			d.setOnline(c.Online)
		}
		return
	}
	if e.Retain && e.Device != o.Topic.Device {
		return
	}
	if o.Life {
		d.seen(e.ReceivedNS)
	}
	if e.Cut == 0 {
		d.add(reading{payload: e.Payload, receivedNS: e.ReceivedNS, origin: &o})
	}
}

// of is the device a topic speaks of, or the sender.
func (p *Projection) of(topic, sender string) *device {
	if t, err := telemetry.ParseTopic(topic); err == nil {
		return p.devices[t.Device]
	}
	return p.devices[sender]
}

func (p *Projection) connect(e *journal.Entry) {
	d := p.devices[e.Device]
	if d == nil {
		return
	}
	if d.conns == nil {
		d.conns = map[uint64]struct{}{}
	}
	d.conns[e.Conn] = struct{}{}
	d.seen(e.ReceivedNS)
	d.setOnline(new(true))
}

// disconnect: a takeover's new connection began before the old one ended, so only the last end counts. What a gateway
// spoke for is unknown without it.
func (p *Projection) disconnect(e *journal.Entry) {
	d := p.devices[e.Device]
	if d == nil {
		return
	}
	delete(d.conns, e.Conn)
	if len(d.conns) > 0 {
		return
	}
	d.setOnline(new(false))
	if d.static.Kind != telemetry.Gateway {
		return
	}
	for _, child := range p.devices {
		if child.static.Gateway == e.Device {
			child.setOnline(nil)
		}
	}
}

// restarted: no connection outlives the hub; whether a device is there is not known until it says so.
func (p *Projection) restarted() {
	for _, d := range p.devices {
		clear(d.conns)
		if d.online != nil && *d.online {
			d.setOnline(nil)
		}
	}
}
