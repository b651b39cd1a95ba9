package ingest

import (
	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// decoder makes points of entries. It belongs to one goroutine.
type decoder struct {
	letters letters
	stats   *meter
	fields  *fieldLimit
}

// decode adds the points of an entry. What cannot be decoded becomes a dead letter, the rest of the message is used.
func (d *decoder) decode(points []point, e *journal.Entry, view directory) []point {
	if e.Kind != journal.Publish {
		return points // ticks
	}
	from, readings, err := readingsOf(e, view)
	if err != nil {
		d.stats.count(func(s *Stats) { s.Undecodable++ })
		d.letters.add(letterFor(e, StageDecode, err.Error()))
	}
	p := point{device: from.ID, area: tagValue(from.Area), kind: tagValue(string(from.Kind)), from: e}
	stamps := newStamper(e, len(readings))
	for n := range readings {
		r := &readings[n]
		p.index, p.late = n, 0
		if p.ns, p.clockBad = stamps.time(r, n); r.TS != nil && !p.clockBad {
			p.late = lateness(p.ns, e, from.Interval())
		}
		if p.metrics = d.keep(p, r); len(p.metrics) > 0 {
			points = append(points, p)
		}
	}
	return points
}

// readingsOf decodes an entry and says which device it speaks of; one that is not registered has an id only.
func readingsOf(e *journal.Entry, view directory) (registry.Device, []telemetry.Reading, error) {
	topic, err := telemetry.ParseTopic(e.Topic)
	if err != nil {
		return registry.Device{}, nil, err
	}
	from, ok := view.Device(topic.Device)
	if !ok {
		from.ID = topic.Device
	}
	if topic.Channel != telemetry.ChannelTelemetry {
		return from, nil, &telemetry.FieldError{Field: "topic.channel", Want: string(telemetry.ChannelTelemetry), Got: string(topic.Channel)}
	}
	readings, err := telemetry.DecodeTelemetry(e.Payload)
	return from, readings, err
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
		letter := letterFor(p.from, StagePoint, "a reserved or unusable name, no finite number, or too many names of one device")
		letter.Readings, letter.Metrics = []int{p.index}, dropped
		d.letters.add(letter)
	}
	return kept
}
