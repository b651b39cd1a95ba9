package fleet

import (
	"cmp"
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

// Fill brings a point's bin of a stream up to a level, at which it stays until Collect.
func (f *Fleet) Fill(id, stream string, pct float64) error {
	return f.said(id, func(m *member) ([]device.Delivery, error) { return m.Fill(time.Now(), stream, pct) })
}

// Collect empties a point's bin of a stream.
func (f *Fleet) Collect(id, stream string) error {
	return f.said(id, func(m *member) ([]device.Delivery, error) { return m.Collect(time.Now(), stream) })
}

// Burn lights or puts out a fire in a garage.
func (f *Fleet) Burn(id string, on bool) error {
	return f.said(id, func(m *member) ([]device.Delivery, error) { return m.Burn(time.Now(), on) })
}

// said acts on a device and sends what it says of it.
func (f *Fleet) said(id string, act func(*member) ([]device.Delivery, error)) error {
	var fault error
	err := f.with(id, func(m *member) {
		var out []device.Delivery
		out, fault = act(m)
		for _, d := range out {
			m.link.push(d)
		}
	})
	return cmp.Or(err, fault)
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
