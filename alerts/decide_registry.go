package alerts

// decideLeft forgets which states were on of devices that have left the registry: one that is registered again under the same
// id begins anew.
func (d *decider) decideLeft(b *book, p places, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeLeft, nowMS)
	for _, device := range sortedKeys(b.levels) {
		if _, registered := p.Device(device); registered {
			continue
		}
		for _, field := range b.levels[device] {
			x.step.Levels = append(x.step.Levels, levelChange{Device: device, Field: field})
		}
	}
	return x.finish(cur)
}
