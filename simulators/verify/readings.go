package verify

import (
	"encoding/json"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// The hub believes a device's clock from 2020 on and up to five minutes ahead of its own; else the time of receipt counts.
const (
	firstTS   = 1577836800000 // 2020-01-01
	clockLead = 5 * time.Minute
)

// wanted is one reading that was handed to the network.
type wanted struct {
	*line
	TS     int64
	Values map[string]float64
	timed  bool // its point lies at its own time
	have   int  // points found for it
}

// wanted gives the readings of all messages by device. What the ledger cannot read, the hub cannot either: it leaves no point.
func (l *Ledger) wanted() map[string][]*wanted {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string][]*wanted{}
	for _, entry := range l.lines {
		said := entry.Said // an event of another system may measure too
		if said == nil && entry.On == "" && entry.Channel == telemetry.ChannelTelemetry {
			said = readings(entry.Payload)
		}
		account := *entry
		for _, r := range said {
			if len(r.Values) > 0 {
				out[entry.Device] = append(out[entry.Device], &wanted{line: &account, TS: r.TS, Values: r.Values})
			}
		}
	}
	return out
}

// readings reads a payload of wh/v1: one object of numbers and truths, or an array of such.
func readings(payload []byte) []device.Reading {
	var many []map[string]any
	if json.Unmarshal(payload, &many) != nil {
		var one map[string]any
		if json.Unmarshal(payload, &one) != nil {
			return nil
		}
		many = append(many, one)
	}
	var out []device.Reading
	for _, fields := range many {
		r := device.Reading{Values: map[string]float64{}}
		for name, v := range fields {
			set(&r, name, v)
		}
		out = append(out, r)
	}
	return out
}

// set takes one field of a payload over; texts and deeper things are no measurements.
func set(r *device.Reading, name string, v any) {
	number, ok := v.(float64)
	if truth, is := v.(bool); is {
		ok = true
		if truth {
			number = 1
		}
	}
	switch {
	case !ok, name == "seq", name == "boot":
	case name == "ts":
		r.TS = int64(number)
	default:
		r.Values[name] = number
	}
}

// believed reports whether the hub believed the reading's own time; now is that of the comparison.
func (w *wanted) believed(now time.Time) bool {
	return w.TS >= firstTS && w.TS <= now.Add(clockLead).UnixMilli()
}
