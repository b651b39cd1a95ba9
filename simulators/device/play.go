package device

import (
	"fmt"
	"time"
)

// Fill brings a point's bin of a stream up to a level within its next reports, at which it stays: neither bags nor trucks come until
// Collect.
func (d *Device) Fill(now time.Time, stream string, pct float64) ([]Delivery, error) {
	return d.bin(now, stream, func(b *bin) { b.goal, b.held = min(100, max(0, pct)), true })
}

// Collect empties a point's bin of a stream.
func (d *Device) Collect(now time.Time, stream string) ([]Delivery, error) {
	return d.bin(now, stream, func(b *bin) { b.pickup, b.held = d.body.clock.at(now), false })
}

// bin acts on one of a point's bins and gives what the point says of it at once.
func (d *Device) bin(now time.Time, stream string, act func(*bin)) ([]Delivery, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p, ok := d.body.life.(*point); ok {
		for _, b := range p.bins {
			if b.stream == stream {
				act(b)
				return d.hush(d.report(now)), nil
			}
		}
	}
	return nil, fmt.Errorf("device: %s has no bin %q", d.spec.ID, stream)
}

// Burn lights or puts out a fire in a garage. Lit, the detector says so and goes on measuring every few seconds.
func (d *Device) Burn(now time.Time, on bool) ([]Delivery, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	g, ok := d.body.life.(*garage)
	if !ok {
		return nil, fmt.Errorf("device: %s is no garage", d.spec.ID)
	}
	g.burning = on
	var out []Delivery
	if on {
		if m, ok := d.say(d.event(now, "smoke")); ok {
			out = d.mangle(m)
		}
	}
	return d.hush(append(out, d.report(now)...)), nil
}
