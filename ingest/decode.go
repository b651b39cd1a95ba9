package ingest

import (
	"errors"
	"slices"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// decoder makes points of entries. It belongs to one goroutine.
type decoder struct {
	lane    journal.LaneName
	letters letters
	stats   *meter
	fields  *fieldLimit
	again   bool // for a redrive, which tells all faults

	strangers strangers
}

// decode adds the points of an entry. What cannot be decoded becomes a dead letter, the rest of the message is used.
func (d *decoder) decode(points []point, e *journal.Entry, view directory) []point {
	if e.Kind != journal.Publish {
		return points // ticks
	}
	from, err := view.Locate(e.Topic, e.Device)
	if errors.Is(err, registry.ErrNoDevice) {
		return points
	}
	for part := range from.All(e.Payload) {
		points = d.part(points, e, part, err)
	}
	return points
}

// part adds the points of one device; err is why nobody knows which one it is.
func (d *decoder) part(points []point, e *journal.Entry, from registry.Origin, err error) []point {
	var said profile.Content
	if err == nil {
		said, err = d.read(e, &from)
	}
	if err != nil {
		d.stats.count(func(s *Stats) { s.Undecodable++ })
	}
	if err != nil && (!errors.Is(err, registry.ErrStranger) || d.strangers.tell(from.Topic.Device, e.ReceivedNS)) {
		d.letters.add(d.letter(e, StageDecode, err.Error()))
	}
	p := point{device: from.Topic.Device, area: tagValue(from.Device.Area), kind: tagValue(string(from.Device.Kind)), from: e}
	stamps := newStamper(e, said.Identity, len(said.Readings))
	for n := range said.Readings {
		r := &said.Readings[n]
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

// read tells what an entry says of a device.
func (d *decoder) read(e *journal.Entry, o *registry.Origin) (said profile.Content, err error) {
	if !o.Foreign() && o.Topic.Channel != telemetry.ChannelTelemetry {
		if d.lane == journal.EventLane { // a call, which is the alert engine's
			return said, nil
		}
		return said, &telemetry.FieldError{Field: "topic.channel", Want: string(telemetry.ChannelTelemetry), Got: string(o.Topic.Channel)}
	}
	if o.Foreign() && e.Retain && e.Device != o.Topic.Device { // what a bridge has retained is old, nobody knows how old
		return said, nil
	}
	if e.Cut > 0 { // a call without its bulk, which is the alert engine's
		return said, nil
	}
	said, err = o.Read(e.Payload)
	if d.lane == journal.EventLane && said.Unread != nil && !d.again { // the alert engine makes the letter of a call that cannot be read
		err = withoutFault(err, said.Unread)
	}
	return said, err
}

// withoutFault leaves the other faults of an error, nil when there are none.
func withoutFault(err error, told *telemetry.FieldError) error {
	faults, _ := errors.AsType[telemetry.FieldErrors](err)
	rest := slices.DeleteFunc(slices.Clone(faults), func(f *telemetry.FieldError) bool { return f == told })
	if len(rest) == 0 {
		return nil
	}
	return rest
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
