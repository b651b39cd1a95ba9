package alerts

// decideLeft forgets which states were on of devices that have left the registry: one that is registered again under the same
// id begins anew.
func (d *decider) decideLeft(b *book, p places, devices []string, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeLeft, nowMS)
	for _, device := range devices {
		if _, registered := p.Device(device); registered {
			continue
		}
		x.endLevels(device)
	}
	return x.finish(cur)
}

func (x *draft) endLevels(device string) {
	for _, field := range x.book.levels[device] {
		x.step.Levels = append(x.step.Levels, levelChange{Device: device, Field: field})
	}
}
