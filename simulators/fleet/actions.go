package fleet

import (
	"fmt"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// Event makes a device say that something happened, such as sos.
func (f *Fleet) Event(id, typ string) error {
	return f.with(id, func(m *member) {
		for _, d := range m.Event(time.Now(), typ) {
			m.link.push(d)
		}
	})
}

// Repeat sends the device's last event again, byte for byte, n times, as a redelivery would.
func (f *Fleet) Repeat(id string, n int) error {
	var none error
	err := f.with(id, func(m *member) {
		last := m.Last()
		if last == nil {
			none = fmt.Errorf("fleet: repeat: %s has sent no event yet", id)
			return
		}
		for range n {
			m.link.push(device.Delivery{Message: *last})
		}
	})
	if err != nil {
		return err
	}
	return none
}

// Send publishes a payload of the caller's on one of the device's channels.
func (f *Fleet) Send(id string, channel telemetry.Channel, payload []byte) error {
	return f.with(id, func(m *member) { m.link.push(device.Delivery{Message: m.Raw(channel, payload)}) })
}

// Cut breaks the connection that the device speaks through, without a word, for as long as d. Messages wait meanwhile.
func (f *Fleet) Cut(id string, d time.Duration) error {
	return f.with(id, func(m *member) { m.link.cut(d) })
}

// Silence stops (on) or resumes the device's heartbeats; its connection stays.
func (f *Fleet) Silence(id string, on bool) error {
	return f.with(id, func(m *member) { m.Silence(on) })
}

// Faults replaces the device's faults; the zero value heals it.
func (f *Fleet) Faults(id string, faults device.Faults) error {
	return f.with(id, func(m *member) {
		m.SetFaults(faults)
		m.link.poke()
	})
}

// Reboot restarts the device: its connection breaks, its restart counter rises, its sequence begins anew.
func (f *Fleet) Reboot(id string) error {
	return f.with(id, func(m *member) {
		m.Reboot()
		m.link.cut(0)
	})
}

func (f *Fleet) with(id string, act func(*member)) error {
	m, ok := f.byID[id]
	if !ok {
		return fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	act(m)
	return nil
}
