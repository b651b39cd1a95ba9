package alerts

import (
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// Windows and levels are kept by the device's own clock, so that a backlog that comes late is judged by when it was measured.
// Clocks err, and no alarm may be lost by it:
//
//   - One that is fast: nothing was measured after it was received. The times of such a message are moved back together.
//   - One that is slow: while nothing comes, the device's time is the watermark less the lag of its newest message. So a delay
//     lasts as long as the rule says, and a reading that has just come is not old.
//   - One that was set back, as after a power loss: what is older than what was measured before changes nothing, until the clock
//     has caught up. Nobody can tell such a message from a backlog that comes late. So the latched rules of priority 1, and no
//     others, judge by a twin as well: the device by the times of receipt. A backlog may raise one card too many.

// twinFor is how long after the last message of a clock that was set back the device is still judged by receipt.
const twinFor = time.Hour

// slack is how much older than the newest a message may be without its clock having been set back.
func (d *watched) slack() int64 {
	return max(10*time.Minute, 2*d.reg.Interval()).Milliseconds()
}

func (f *fed) received() int64 { return f.receivedNS / int64(time.Millisecond) }

// at is the device's time where it can be believed, Unix ms.
func (f *fed) at(ts *int64) int64 {
	at, _ := telemetry.EffectiveTime(ts, f.receivedNS)
	return at
}

// newest is the latest time that a message speaks of, which says at least something.
func (f *fed) newest(events []telemetry.Event) int64 {
	newest := int64(0) // what can be believed is later
	for _, r := range f.content.Readings {
		newest = max(newest, f.at(r.TS))
	}
	for _, ev := range events {
		newest = max(newest, f.at(ev.TS))
	}
	return newest
}

// newestOf is the latest time of the messages of a lane: the lanes are not read side by side.
func (d *watched) newestOf(lane journal.LaneName) *int64 {
	if lane == journal.TelemetryLane {
		return &d.newest.telemetry
	}
	return &d.newest.event
}

// keepTime notes how far the device's clock is behind. What it measures says so rather than what happened to it, which often
// comes without a time.
func (d *watched) keepTime(f *fed, newest int64) {
	newest = min(newest, f.received())
	last := d.newestOf(f.lane)
	if newest < *last {
		return
	}
	*last = newest
	if len(f.content.Readings) > 0 || !d.measures() {
		d.lag = f.received() - newest
	}
}

func (d *watched) measures() bool {
	for _, s := range d.series {
		if s != nil {
			return true
		}
	}
	return false
}

// twin makes one when a message shows a clock that was set back, and ends it some time after the last of them.
func (w *watch) twin(d *watched, f *fed, newest int64) {
	switch {
	case newest < *d.newestOf(f.lane)-d.slack():
		d.setBack = f.received()
		if d.twin == nil && d.spec.urgent != nil {
			d.twin = w.twinOf(d)
		}
	case f.received()-d.setBack > twinFor.Milliseconds():
		d.twin = nil
	}
}

func (w *watch) twinOf(d *watched) *watched {
	t := &watched{id: d.id, spec: d.spec.urgent, reg: d.reg, place: d.place, of: d}
	t.begin(w.spec)
	return t
}

// current gives a device, or a twin, as the registry has it now, nil when it is no longer watched.
func (w *watch) current(d *watched) *watched {
	if d.of == nil {
		return w.device(d.id)
	}
	if main := w.device(d.id); main == nil || main.twin != d {
		return nil
	}
	return d
}

// withTwin gives a device and its twin.
func (d *watched) withTwin() []*watched {
	if d.twin == nil {
		return []*watched{d}
	}
	return []*watched{d, d.twin}
}
