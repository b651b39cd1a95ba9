package ingest

import (
	"errors"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// decoder makes points of entries. It belongs to one goroutine.
type decoder struct {
	lane    journal.LaneName
	letters letters
	stats   *meter
	fields  *fieldLimit

	strangers strangers
}

// decode adds the points of an entry. What cannot be decoded becomes a dead letter, the rest of the message is used.
func (d *decoder) decode(points []point, e *journal.Entry, view directory) []point {
	if e.Kind != journal.Publish {
		return points // ticks
	}
	from, readings, err := d.read(e, view)
	if err != nil {
		d.stats.count(func(s *Stats) { s.Undecodable++ })
	}
	if err != nil && (!errors.Is(err, registry.ErrStranger) || d.strangers.tell(from.Topic.Device, e.ReceivedNS)) {
		d.letters.add(d.letter(e, StageDecode, err.Error()))
	}
	p := point{device: from.Topic.Device, area: tagValue(from.Device.Area), kind: tagValue(string(from.Device.Kind)), from: e}
	stamps := newStamper(e, len(readings))
	for n := range readings {
		r := &readings[n]
		p.index, p.late = n, 0
		if p.ns, p.clockBad = stamps.time(r, n); r.TS != nil && !p.clockBad {
			p.late = lateness(p.ns, e, from.Device.Interval())
		}
		if p.metrics = d.keep(p, r); len(p.metrics) > 0 {
			points = append(points, p)
		}
	}
	return points
}

// read gives the readings of an entry and where they are from.
func (d *decoder) read(e *journal.Entry, view directory) (registry.Origin, []telemetry.Reading, error) {
	o, err := view.Locate(e.Topic, e.Device)
	if errors.Is(err, registry.ErrNoDevice) {
		return o, nil, nil
	}
	if err != nil {
		return o, nil, err
	}
	if !o.Foreign() && o.Topic.Channel != telemetry.ChannelTelemetry {
		if d.lane == journal.EventLane { // a call, which is the alert engine's
			return o, nil, nil
		}
		return o, nil, &telemetry.FieldError{Field: "topic.channel", Want: string(telemetry.ChannelTelemetry), Got: string(o.Topic.Channel)}
	}
	if o.Foreign() && e.Retain && e.Device != o.Topic.Device { // what a bridge has retained is old, nobody knows how old
		return o, nil, nil
	}
	content, err := o.Read(e.Payload)
	if d.lane == journal.EventLane && content.Unread != nil { // the alert engine makes the letter of a call that cannot be read
		err = nil
	}
	return o, content.Readings, err
}

// letter begins a letter about an entry of the decoder's lane.
func (d *decoder) letter(e *journal.Entry, stage, reason string) DeadLetter {
	return letterFor(d.lane, e, stage, reason)
}

// keep gives the metrics of r that can be stored, and reports the others.
func (d *decoder) keep(p point, r *telemetry.Reading) []telemetry.Metric {
	var dropped []string
	kept := r.Metrics[:0]
	for _, m := range r.Metrics {
		if storable(m.Name) && finite(m.Value) && d.fields.admit(p.device, m.Name) {
			kept = append(kept, m)
			continue
		}
		dropped = append(dropped, m.Name)
	}
	if len(dropped) > 0 {
		d.stats.count(func(s *Stats) { s.DroppedFields += uint64(len(dropped)) })
		letter := d.letter(p.from, StagePoint, "a reserved or unusable name, no finite number, or too many names of one device")
		letter.Readings, letter.Metrics = []int{p.index}, dropped
		d.letters.add(letter)
	}
	return kept
}
