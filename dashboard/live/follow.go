package live

import (
	"context"
	"errors"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
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
		p.will(e)
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
	if err != nil {
		p.bridgeSays(e)
		return
	}
	for part := range o.All(e.Payload) {
		p.foreignPart(e, part)
	}
}

// foreignPart applies what a message says of one device.
func (p *Projection) foreignPart(e *journal.Entry, o registry.Origin) {
	d := p.devices[o.Topic.Device]
	if d == nil {
		return
	}
	if e.Device != o.Topic.Device {
		d.via, d.cut = e.Device, false
	}
	if o.Topic.Channel == telemetry.ChannelStatus {
		if c, _ := o.Read(e.Payload); c.Online != nil {
			d.setOnline(c.Online)
		}
		return
	}
	if e.Kind == journal.Will || e.Retain && e.Device != o.Topic.Device {
		return
	}
	if o.Life {
		d.seen(e.ReceivedNS)
	}
	if e.Cut == 0 {
		d.add(reading{payload: e.Payload, receivedNS: e.ReceivedNS, origin: &o})
	}
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
	if d.static.Kind == telemetry.Bridge {
		p.spokenFor(d)
	}
}

// will is a connection's last word. On a topic of a profile it says what the topic says of who is there, and nothing else.
func (p *Projection) will(e *journal.Entry) {
	t, err := telemetry.ParseTopic(e.Topic)
	if err != nil {
		p.foreign(e)
		return
	}
	if d := p.devices[t.Device]; d != nil {
		d.setOnline(new(false))
	}
}

// bridgeSays applies what a bridge says of itself: what stands behind a connection can be gone while the connection stands.
func (p *Projection) bridgeSays(e *journal.Entry) {
	d := p.devices[e.Device]
	if d == nil || d.static.Kind != telemetry.Bridge {
		return
	}
	online, ok := p.d.Registry.BridgeState(e.Topic, e.Payload)
	switch {
	case !ok:
	default:
		d.setOnline(&online)
		p.spokenFor(d)
	}
}

// disconnect: a takeover's new connection began before the old one ended, so only the last end counts.
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
	p.spokenFor(d)
}

// spokenFor takes back what was said of the devices behind a gateway or a bridge that is gone. Those behind a bridge have no other way to
// the hub: they are shown as gone too, until it is back or another speaks for them.
func (p *Projection) spokenFor(speaker *device) {
	if !speaker.speaks() {
		return // most end so, thousands at a time when a switch fails, and each would look at all the others
	}
	gone := speaker.online != nil && !*speaker.online
	for _, d := range p.devices {
		switch id := speaker.static.ID; {
		case len(d.conns) > 0:
		case gone && speaker.static.Kind == telemetry.Gateway && d.static.Gateway == id:
			d.setOnline(nil)
		case speaker.static.Kind == telemetry.Bridge && d.via == id && d.cut != gone:
			d.cut, d.dirty = gone, true
			if gone {
				d.online = nil
			}
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
