package alerts

import (
	"slices"
	"time"

	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// levelPause is how far apart two reports of a button that says "sos" as a state must be to be two presses: there are buttons that
// never take it back, and the next report may be the next press. Bridges that tell one report twice do so within the second.
const levelPause = time.Second

// levelChange is the beginning or the end of a state that a device's messages repeat, or a repetition that counted.
type levelChange struct {
	Device string `json:"dev"`
	Field  string `json:"field"`
	On     bool   `json:"on"`
	At     int64  `json:"at,omitempty"` // receipt in Unix ms, where repetitions can count
}

// calls notes a level and reports whether it is a call: when it begins, and for a person's call after each pause. What a device has
// never said is off.
func (x *draft) calls(device string, l profile.Level, received int64) bool {
	change := levelChange{Device: device, Field: l.Field, On: l.On}
	if l.On && byPerson(l.Type) {
		change.At = received
	}
	on, at := x.level(device, l.Field)
	if on == l.On && (change.At == 0 || change.At-at < levelPause.Milliseconds()) {
		return false
	}
	x.moves++
	x.step.Levels = append(x.step.Levels, change)
	return l.On
}

// level is a level as this step has left it so far, and when it last counted.
func (x *draft) level(device, field string) (on bool, at int64) {
	for _, earlier := range slices.Backward(x.step.Levels) {
		if earlier.Device == device && earlier.Field == field {
			return earlier.On, earlier.At
		}
	}
	_, on = slices.BinarySearch(x.book.levels[device], field)
	return on, x.book.told[levelKey(device, field)]
}

// byPerson reports whether a person does it, not a detector.
func byPerson(typ string) bool {
	return telemetry.CallsForHelp(typ) && typ != telemetry.EventSmoke && typ != telemetry.EventHeat
}

func levelKey(device, field string) string { return device + "\x00" + field }

func (b *book) applyLevels(s *step) {
	for _, l := range s.Levels {
		b.applyLevel(l)
		if key := levelKey(l.Device, l.Field); l.At > 0 {
			b.told[key] = l.At
		} else {
			delete(b.told, key)
		}
	}
}

func (b *book) applyLevel(l levelChange) {
	on := b.levels[l.Device]
	at, known := slices.BinarySearch(on, l.Field)
	switch {
	case l.On && !known:
		b.levels[l.Device] = slices.Insert(slices.Clone(on), at, l.Field)
	case !l.On && known && len(on) == 1:
		delete(b.levels, l.Device)
	case !l.On && known:
		b.levels[l.Device] = slices.Delete(slices.Clone(on), at, at+1)
	}
}
