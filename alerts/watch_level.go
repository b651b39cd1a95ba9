package alerts

import (
	"fmt"
	"strings"
	"time"

	"github.com/expr-lang/expr/vm"
)

// level is where a part of a rule stands for a device: its raise expression holds, perhaps not for long enough yet, or it is
// up, perhaps with its clear expression holding.
type level struct {
	Up       bool
	Since    int64  // Unix ms: raise has held since
	Clear    int64  // Unix ms: clear has held since, 0 = it does not
	Cause    string // the message that made raise hold
	Received int64  // Unix ms, of that message
	Late     int64  // how much older than its receipt it was, ms
}

// due is when a delay of the level runs out, Unix ms.
func (lv *level) due(p *part) (int64, bool) {
	switch {
	case !lv.Up:
		return lv.Since + p.OnDelay.Milliseconds(), true
	case lv.Clear > 0:
		return lv.Clear + p.OffDelay.Milliseconds(), true
	}
	return 0, false
}

// truth of an expression: what rests on missing or old readings is neither true nor false and changes nothing.
type truth int

const (
	unknown truth = iota
	no
	yes
)

// judge moves one level by what the windows say now.
func (w *watch) judge(d *watched, p *part, e evidence) {
	if d.reg.OutOfService && p.Priority != 1 {
		return
	}
	lv := d.levels[p.at]
	if lv == nil || !lv.Up {
		w.judgeDown(d, p, lv, e)
	} else {
		w.judgeUp(d, p, lv)
	}
}

func (w *watch) judgeDown(d *watched, p *part, lv *level, e evidence) {
	switch holds := w.holds(p); {
	case holds == no:
		delete(d.levels, p.at)
		return
	case holds == unknown:
		return // neither begun nor ended by what is not known
	case lv == nil:
		lv = &level{Since: d.clock, Cause: messageID(e.lane, e.id), Received: e.received, Late: max(e.received-e.effective, 0)}
		if d.levels == nil {
			d.levels = map[int]*level{}
		}
		d.levels[p.at] = lv
	}
	if wait := lv.Since + p.OnDelay.Milliseconds(); d.clock < wait {
		w.plan(d, wait+d.lag)
		return
	}
	lv.Up, lv.Clear = true, 0
	w.emit(d, p, lv, "")
}

// holds is the raise expression, unless the clear expression holds as well: what has just been emptied is not full.
func (w *watch) holds(p *part) truth {
	holds := w.eval(p, p.raise)
	if holds == yes && p.clear != nil && w.eval(p, p.clear) == yes {
		return no
	}
	return holds
}

// judgeUp looks whether it is over. A latched rule is never cleared by it, only made ready to speak again.
func (w *watch) judgeUp(d *watched, p *part, lv *level) {
	over := unknown
	if p.clear != nil {
		over = w.eval(p, p.clear)
	} else if raise := w.eval(p, p.raise); raise != unknown {
		over = yes + no - raise
	}
	switch {
	case over == no:
		lv.Clear = 0
		return
	case over == unknown:
		return
	case lv.Clear == 0:
		lv.Clear = d.clock
	}
	if wait := lv.Clear + p.OffDelay.Milliseconds(); d.clock < wait {
		w.plan(d, wait+d.lag)
		return
	}
	delete(d.levels, p.at)
	if !p.Latch {
		w.emit(d, p, &level{Since: lv.Clear}, "")
	}
}

// eval runs an expression for the device that was entered.
func (w *watch) eval(p *part, program *vm.Program) truth {
	w.frame.begin(p)
	out, err := w.vm.Run(program, &w.env)
	is, ok := out.(bool)
	switch {
	case err != nil || !ok:
		return unknown
	case is:
		return yes
	case w.frame.missing:
		return unknown
	}
	return no
}

// endLevels takes down what the registry no longer lets stand.
func (w *watch) endLevels(d *watched, which func(*part) bool) {
	for at, lv := range d.levels {
		p := w.spec.parts[at]
		if !which(p) {
			continue
		}
		delete(d.levels, at)
		if lv.Up && !p.Latch {
			w.emit(d, p, &level{Since: d.clock}, "out of service")
		}
	}
}

// emit tells the engine of a change of level. What lies before the ledger's place in the lanes has been told before: only
// what is latched is told again, which the ledger knows by its cause.
func (w *watch) emit(d *watched, p *part, lv *level, text string) {
	if !w.live && !p.Latch {
		return
	}
	if text == "" {
		text = d.describe(w.spec, p)
	}
	w.found.add(finding{
		Rule: p.ID, Device: d.id, Component: p.component, Up: lv.Up, Since: lv.Since, Cause: lv.Cause, Text: text,
		At: lv.Received + p.OnDelay.Milliseconds(), Late: lv.Late,
	})
}

// describe says what the windows held of the metrics that a part reads.
func (d *watched) describe(spec *watchSpec, p *part) string {
	var b strings.Builder
	for _, slot := range p.metrics {
		if d.series == nil || d.series[slot] == nil {
			continue
		}
		if x, ok := d.series[slot].Last(); ok {
			fmt.Fprintf(&b, "%s=%g ", spec.metrics[slot], x.V)
		}
	}
	return strings.TrimSuffix(b.String(), " ")
}

// maxAge is how old a reading may be that a part rests on.
func (p *part) maxAge(interval time.Duration) time.Duration {
	if p.MaxInputAge > 0 {
		return p.MaxInputAge
	}
	return max(3*interval, time.Hour)
}
