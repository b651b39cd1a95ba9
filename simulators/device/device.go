package device

import (
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"watchhouse/telemetry"
)

// Options of a device.
type Options struct {
	Seed  uint64
	Start time.Time
	Speed float64 // heartbeats come this many times more often than the interval asks for; at least 1
	Voice Voice   // nil = wh/v1
	Boot  uint32  // restart counter; 0 = a small one from the seed. A later run with the same one would repeat identities

	// Points and garages live Pace times faster than the clock, at least 1, beginning at From (zero = Start), and tell of it as often. Their
	// messages carry the clock's time.
	Pace float64
	From time.Time
}

// Device is one simulated device.
type Device struct {
	spec  Spec
	every time.Duration
	voice Voice

	mu        sync.Mutex
	rng       *rand.Rand
	boot, seq uint32
	due       time.Time
	silent    bool
	faults    Faults
	body      body
	guard     guard
	last      *Message // the last event, for repeats
}

// New makes a device whose first heartbeat is due within 20 seconds of the start.
func New(spec Spec, o Options) *Device {
	name := fnv.New64a()
	_, _ = name.Write([]byte(spec.ID)) // a hash does not fail
	d := &Device{spec: spec, rng: rand.New(rand.NewPCG(o.Seed, name.Sum64())), every: o.every(spec), voice: o.Voice}
	if d.boot = 1 + d.rng.Uint32N(5); o.Boot > 0 {
		d.boot = o.Boot
	}
	d.body = newBody(spec, o, d.rng)
	d.guard = newGuard(spec, o.Start, d.rng)
	d.due = o.Start.Add(upTo(d.rng, min(d.every, 20*time.Second)))
	return d
}

// paceFloor is the shortest interval that a fast life may ask for.
const paceFloor = 10 * time.Second

// alarmEvery is how often a detector measures a fire.
const alarmEvery = 5 * time.Second

// every is the time between two heartbeats.
func (o Options) every(spec Spec) time.Duration {
	every := time.Duration(float64(spec.Interval) / max(1, o.Speed))
	if !lively(spec.Kind) || o.Pace <= 1 {
		return every
	}
	return min(every, max(paceFloor, time.Duration(float64(spec.Interval)/o.Pace)))
}

// upTo is a random part of d, from nothing to all of it.
func upTo(rng *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(d) + 1))
}

// Spec gives what the device is.
func (d *Device) Spec() Spec { return d.spec }

// Due is when Tick wants to be called next.
func (d *Device) Due() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.next()
}

func (d *Device) next() time.Time {
	next := d.guard.sooner(d.due)
	if at := d.body.wakes(); at.Before(next) {
		return at
	}
	return next
}

// Tick gives the messages that are due by now, after faults.
func (d *Device) Tick(now time.Time) []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []Delivery
	for _, typ := range d.guard.tick(now, d.rng) {
		out = append(out, d.deliver(d.event(now, typ))...)
	}
	if now.Before(d.due) && now.Before(d.body.wakes()) {
		return d.hush(out)
	}
	return d.hush(append(out, d.report(now)...))
}

// report lets the body live until now and gives its events and a heartbeat.
func (d *Device) report(now time.Time) []Delivery {
	var out []Delivery
	for _, typ := range d.body.live(now, d.rng) {
		out = append(out, d.deliver(d.event(now, typ))...)
	}
	// Never later than the registry expects, and not in step with the others.
	every := d.every
	if g, ok := d.body.life.(*garage); ok && g.burning {
		every = min(every, alarmEvery)
	}
	d.due = now.Add(every - upTo(d.rng, every/10))
	return append(out, d.deliver(d.heartbeat(now))...)
}

// hush drops what a silent or dead device would have said.
func (d *Device) hush(out []Delivery) []Delivery {
	if d.silent || d.body.dead() {
		return nil
	}
	return out
}

// Event makes an event now, after faults, as somebody pressed the button: neither silence nor a random dropout stops it.
func (d *Device) Event(now time.Time, typ string) []Delivery {
	d.mu.Lock()
	defer d.mu.Unlock()
	m, ok := d.say(d.event(now, typ))
	if !ok {
		return nil
	}
	d.last = &m
	return d.mangle(m)
}

// Last is the last event made by Event, nil before it.
func (d *Device) Last() *Message {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.last
}

// Status is the retained online status of wh/v1, also used as the will.
func (d *Device) Status(online bool) Message {
	return d.message(telemetry.ChannelStatus, true, encode(statusPayload{online}))
}

// Announce is how the device tells that it is there; false = it has no words for that.
func (d *Device) Announce() (Message, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.say(d.Status(true))
}

// say puts a message into the device's own words.
func (d *Device) say(m Message) (Message, bool) {
	if d.voice == nil {
		return m, true
	}
	return d.voice.Say(m)
}

// Accept answers a command.
func (d *Device) Accept(id string) Message {
	return d.message(telemetry.ChannelCommandAck, false, encode(ackPayload{ID: id, Result: "accepted"}))
}

// Raw is a message with a payload of the caller's, such as garbage.
func (d *Device) Raw(channel telemetry.Channel, payload []byte) Message {
	m := d.message(channel, false, payload)
	if d.voice != nil {
		m.On = d.voice.Topic()
	}
	return m
}

func (d *Device) message(c telemetry.Channel, retain bool, payload []byte) Message {
	return Message{Device: d.spec.ID, Gateway: d.spec.Gateway, Channel: c, QoS: 1, Retain: retain, Payload: payload}
}

// Silence stops or resumes the heartbeats.
func (d *Device) Silence(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.silent = on
}

// SetFaults replaces the device's faults. A battery that the drain fault emptied is replaced when the fault ends.
func (d *Device) SetFaults(f Faults) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.Drain {
		d.body.battery = min(d.body.battery, 2)
	} else if d.faults.Drain {
		d.body.battery = 100
	}
	d.faults = f
}

// Dead reports whether the battery is empty.
func (d *Device) Dead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.body.dead()
}

// Flap is how often the device's link breaks, 0 = never.
func (d *Device) Flap() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.faults.Flap
}

// Reboot counts the restart up and begins the sequence anew.
func (d *Device) Reboot() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.boot++
	d.seq = 0
}

func (d *Device) event(now time.Time, typ string) Message {
	d.seq++
	ts := now.Add(d.faults.Skew).UnixMilli()
	m := d.message(telemetry.ChannelEvent, false, encode(eventPayload{typ, d.boot, d.seq, ts}))
	m.Type, m.Boot, m.Seq, m.TS = typ, d.boot, d.seq, ts
	return m
}

func (d *Device) heartbeat(now time.Time) Message {
	d.seq++
	ts := now.Add(d.faults.Skew).UnixMilli()
	d.body.age(d.faults)
	measured := d.body.metrics(now, d.rng)
	values := map[string]any{"ts": ts, "boot": d.boot, "seq": d.seq}
	for name, v := range measured {
		values[name] = v
	}
	m := d.message(telemetry.ChannelTelemetry, false, encode(values))
	m.Boot, m.Seq, m.TS = d.boot, d.seq, ts
	if d.voice != nil {
		m.Said = []Reading{{TS: ts, Values: measured}}
	}
	return m
}
