package device

import (
	"time"
)

// Faults of a device. The zero value is a healthy one. Chances are 0 to 1 for each message.
type Faults struct {
	Duplicate float64       `yaml:"duplicate"` // sent twice, byte for byte
	Late      float64       `yaml:"late"`      // sent LateBy later, after newer messages
	LateBy    time.Duration `yaml:"late_by"`
	Malformed float64       `yaml:"malformed"` // cut in the middle
	Dropout   float64       `yaml:"dropout"`   // a heartbeat is never sent
	Skew      time.Duration `yaml:"skew"`      // the clock is off by so much
	Drift     float64       `yaml:"drift"`     // what a fill sensor (points) or the thermometer moves off by with each heartbeat
	Stuck     bool          `yaml:"stuck"`     // the same values for ever
	Drain     bool          `yaml:"drain"`     // the battery dies within a few heartbeats
	Flap      time.Duration `yaml:"flap"`      // the link breaks this often (the fleet's business)
}

// Delivery is a message and how long to hold it back.
type Delivery struct {
	Message
	After time.Duration
}

// deliver says a message of the device's own and applies all faults to it.
func (d *Device) deliver(m Message) []Delivery {
	m, ok := d.say(m)
	if !ok || d.chance(d.faults.Dropout) {
		return nil
	}
	return d.mangle(m)
}

// mangle applies the faults that do not lose the message.
func (d *Device) mangle(m Message) []Delivery {
	out := []Delivery{{Message: m}}
	if d.chance(d.faults.Malformed) {
		out[0].Payload = m.Payload[:len(m.Payload)/2]
		out[0].Boot, out[0].Seq, out[0].TS, out[0].Said = 0, 0, 0, nil
	}
	if d.chance(d.faults.Late) {
		out[0].After = d.faults.LateBy
	}
	if d.chance(d.faults.Duplicate) {
		out = append(out, out[0])
	}
	return out
}

func (d *Device) chance(p float64) bool { return p > 0 && d.rng.Float64() < p }
