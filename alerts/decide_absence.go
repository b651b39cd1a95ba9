package alerts

import "watchhouse/registry"

// silence is what the absence watch found out about one device and rule.
type silence struct {
	rule   *rule
	device registry.Device
	at     int64 // Unix ms of the lanes' watermark
	back   bool  // the device is heard again, or is no longer supervised
	reason string
}

// decideSilences gives one step for several findings, nil when none changes anything.
func (d *decider) decideSilences(b *book, p places, list []silence, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeAbsence, nowMS)
	for _, s := range list {
		c, ok := x.condition(conditionKey(s.rule.ID, s.device.ID, ""))
		switch active := ok && c.Active; {
		case s.back && active:
			x.recover(c, s.reason)
		case !s.back && !active:
			x.raise(s.rule, signal{device: s.device.ID, area: s.device.Area, person: s.device.Person, at: s.at, text: s.reason})
		}
	}
	return x.finish(cur)
}

// recover ends an active condition that clears itself. The incident recovers unless a person has already resolved it.
func (x *draft) recover(c Condition, reason string) {
	c.Active = false
	was, ok := x.incident(c.Incident)
	if !ok || !was.Open() {
		c.Acked = true // nothing is left that a person could see
		x.setCondition(c)
		return
	}
	x.setCondition(c)
	if x.stillActive(was.ID) {
		return // by another rule or component
	}
	i := was.clone()
	i.Active = false
	if was.Order {
		i.Version++
		x.withdraw(i.ID)
		x.close(was, i, engineActor, reason)
		return
	}
	if was.State == StateNew || was.State == StateAcknowledged || was.State == StateVerifying {
		i.State = StateRecovered
		i.Version++
		only(i, clockClose, x.step.Now, x.rules.clocksOf(i.Rule, i.Priority).CloseRecovered)
	}
	x.emit(KindRecovered, engineActor, reason, was.State, i)
}

// stillActive reports whether any condition of an incident holds.
func (x *draft) stillActive(incident string) (active bool) {
	x.eachCondition(incident, func(c *Condition) { active = active || c.Active })
	return active
}

// decideGap raises the hole in a lane: messages between two numbers that nobody will ever read.
func (d *decider) decideGap(b *book, p places, lane string, text string, nowMS int64, cur cursors) *step {
	x := d.draft(b, p, causeGap, nowMS)
	if r, ok := d.rules.byID[gapRule]; ok {
		x.raise(r, signal{at: x.step.Now, text: text, key: gapRule + ":" + lane})
	}
	return x.finish(cur)
}
