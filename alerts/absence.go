package alerts

import (
	"container/heap"
	"time"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// absence watches for devices that have fallen silent. Time is the lanes' watermark: the receive time up to which every lane
// has been read, so a reader that lags freezes the watch and can never make a silence up. A device is looked at when its
// silence could be long enough and not before: 75,000 devices cost a few hundred looks a second. It has one owner, the engine.
type absence struct {
	rules *Rules
	seen  *lastSeen
	blind time.Duration // after hub_start

	down       downtimes
	blindUntil int64 // Unix ns
	queue      lookQueue
	queued     map[look]bool
	faults     []badLook
	broken     map[look]bool // cannot be judged by this program
}

// badLook is a look that failed.
type badLook struct {
	look
	err error
}

// look is a device to be looked at under a rule.
type look struct{ rule, device string }

type due struct {
	look
	at int64 // watermark, Unix ns
}

// recheck is how often a silent device is looked at for signs of life, in watermark time.
const recheck = 2 * time.Second

func newAbsence(rules *Rules, seen *lastSeen, blind time.Duration) *absence {
	return &absence{rules: rules, seen: seen, blind: blind, queued: map[look]bool{}, broken: map[look]bool{}}
}

// supervise plans a look at every device that an absence rule covers and none is planned for.
func (a *absence) supervise(devices []registry.Device) {
	for _, r := range a.rules.list {
		if r.Kind != ruleAbsence {
			continue
		}
		for _, d := range devices {
			if r.applies(d.Kind) {
				a.plan(look{r.ID, d.ID}, 0)
			}
		}
	}
}

// again plans an immediate look at everything: an interval or a device may have changed.
func (a *absence) again(devices []registry.Device) {
	for i := range a.queue {
		a.queue[i].at = 0
	}
	a.supervise(devices)
}

func (a *absence) plan(l look, at int64) {
	if a.queued[l] || a.broken[l] {
		return
	}
	a.queued[l] = true
	heap.Push(&a.queue, due{l, at})
}

// hubStarted notes that the hub was down since the state lane's previous entry, and is blind for a while.
func (a *absence) hubStarted(previousNS, ns int64) {
	a.down = a.down.add(previousNS, ns)
	a.blindUntil = max(a.blindUntil, ns+int64(a.blind))
}

// findings looks at up to limit devices that are due at the watermark.
func (a *absence) findings(b *book, p places, watermark int64, limit int) []silence {
	var list []silence
	for range limit {
		if !a.due(watermark) {
			break
		}
		d := heap.Pop(&a.queue).(due)
		delete(a.queued, d.look)
		s, next, keep := a.judge(b, p, d.look, watermark)
		if s != nil {
			list = append(list, *s)
		}
		if keep {
			a.plan(d.look, next)
		}
	}
	return list
}

// judge looks at one device and contains a panic: nobody else's silence goes unseen for it.
func (a *absence) judge(b *book, p places, l look, now int64) (s *silence, next int64, keep bool) {
	_, err := attempt(func() *step {
		s, next, keep = a.look(b, p, l, now)
		return nil
	})
	if err != nil {
		a.broken[l] = true
		a.faults = append(a.faults, badLook{l, err})
		return nil, 0, false
	}
	return s, next, keep
}

// failed gives the looks that have failed since the last time.
func (a *absence) failed() []badLook {
	list := a.faults
	a.faults = nil
	return list
}

// due reports whether a look is due at the watermark.
func (a *absence) due(watermark int64) bool {
	return len(a.queue) > 0 && a.queue[0].at <= watermark && watermark > 0
}

// look judges one device: what was found, and when to look again.
func (a *absence) look(b *book, p places, l look, now int64) (s *silence, next int64, keep bool) {
	r := a.rules.byID[l.rule]
	d, registered := party(p, l.device)
	active := b.conditions[conditionKey(l.rule, l.device, "")].Active
	if !registered || !r.applies(d.Kind) || d.OutOfService {
		if active {
			s = a.found(r, registry.Device{ID: l.device}, now, true, "out of service")
		}
		return s, now + int64(time.Minute), registered && r.applies(d.Kind)
	}
	known, _ := a.seen.get(l.device)
	limit, ok := r.silence(env(d, heard{Up: known.Up, Down: known.Down}, now))
	if !ok {
		return nil, now + int64(time.Minute), true
	}
	h := a.seen.supervise(l.device, limit, now)
	quiet := a.down.silence(h.Last, now)
	switch {
	case active && quiet < limit && r.clears(env(d, h, now)):
		return a.found(r, d, now, true, "heard again"), now + int64(limit-quiet), true
	case active:
		return nil, now + int64(recheck), true
	case quiet < limit && d.Kind == telemetry.Bridge: // its limit is another one as soon as its connection is lost
		return nil, now + min(max(int64(limit-quiet), int64(recheck)/2), int64(recheck)), true
	case quiet < limit:
		return nil, now + max(int64(limit-quiet), int64(recheck)/2), true
	case now < a.blindUntil:
		return nil, a.blindUntil, true
	}
	return a.found(r, d, now, false, "silent for "+quiet.Round(time.Second).String()), now + int64(recheck), true
}

// party gives a device, or an account that is supervised like one.
func party(p places, id string) (registry.Device, bool) {
	if d, ok := p.Device(id); ok {
		return d, true
	}
	return p.Bridge(id)
}

func (a *absence) found(r *rule, d registry.Device, now int64, back bool, reason string) *silence {
	return &silence{rule: r, device: d, at: now / int64(time.Millisecond), back: back, reason: reason}
}

func env(d registry.Device, h heard, now int64) absenceEnv {
	e := absenceEnv{Kind: string(d.Kind), Mains: d.Power != telemetry.Battery, IntervalS: d.Interval().Seconds(), Beats: h.Beats, Connected: h.connected()}
	if h.First > 0 {
		e.StableS = time.Duration(now - h.First).Seconds()
	}
	return e
}

// lookQueue is a heap by due time.
type lookQueue []due

func (q lookQueue) Len() int           { return len(q) }
func (q lookQueue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q lookQueue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push and Pop are for container/heap.
func (q *lookQueue) Push(x any) { *q = append(*q, x.(due)) }

// Pop takes the last element off.
func (q *lookQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}
