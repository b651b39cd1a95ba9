package alerts

import (
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"watchhouse/alerts/window"
	"watchhouse/telemetry"
)

// part is a window rule for one component: a stream of a sorting point, or the whole device.
type part struct {
	*rule
	component string
	at        int // its place among all parts; several kinds share one numbering
	metrics   []int
	events    []int
	timed     bool // it can change without a message
	raise     *vm.Program
	clear     *vm.Program // nil for a latched rule
}

// key is the condition of a device under the part.
func (p *part) key(device string) string { return conditionKey(p.ID, device, p.component) }

// watchSpec is what all window rules together ask of the past: which metrics and events are kept, for how long, and which
// parts watch a kind. It does not change once the rules are loaded.
type watchSpec struct {
	parts   []*part
	metrics []string
	needs   []window.Need // of the metrics
	events  []string
	kinds   map[telemetry.Kind]*kindSpec
}

// kindSpec is the part of the spec that concerns a kind of device.
type kindSpec struct {
	parts    []*part
	byMetric map[string]metricSpec
	byEvent  map[string]eventSpec
	timed    bool
	urgent   *kindSpec // the latched parts of priority 1 alone, nil when there are none or in itself
}

type metricSpec struct {
	slot  int
	parts []*part // in the order of the file
}

type eventSpec struct {
	slot  int
	parts []*part
}

func newWatchSpec() *watchSpec { return &watchSpec{kinds: map[telemetry.Kind]*kindSpec{}} }

// metric gives the place of a metric, making one.
func (s *watchSpec) metric(name string) int {
	if at := slices.Index(s.metrics, name); at >= 0 {
		return at
	}
	s.metrics, s.needs = append(s.metrics, name), append(s.needs, window.Need{Readings: 1})
	return len(s.metrics) - 1
}

func (s *watchSpec) span(slot int, width time.Duration, buckets int) int {
	need := window.SpanNeed{Width: width, Buckets: buckets}
	if at := slices.Index(s.needs[slot].Spans, need); at >= 0 {
		return at
	}
	s.needs[slot].Spans = append(s.needs[slot].Spans, need)
	return len(s.needs[slot].Spans) - 1
}

func (s *watchSpec) event(name string) int {
	if at := slices.Index(s.events, name); at >= 0 {
		return at
	}
	s.events = append(s.events, name)
	return len(s.events) - 1
}

// exactly gives the part of a rule for a component.
func (s *watchSpec) exactly(rule, component string) *part {
	for _, p := range s.parts {
		if p.ID == rule && p.component == component {
			return p
		}
	}
	return nil
}

// add takes a compiled part in.
func (s *watchSpec) add(p *part) {
	p.at = len(s.parts)
	s.parts = append(s.parts, p)
	for _, kind := range p.Scope {
		k := s.kinds[kind]
		if k == nil {
			k = newKindSpec()
			s.kinds[kind] = k
		}
		k.add(s, p)
		if !p.Latch || p.Priority != 1 {
			continue
		}
		if k.urgent == nil {
			k.urgent = newKindSpec()
		}
		k.urgent.add(s, p)
	}
}

func newKindSpec() *kindSpec {
	return &kindSpec{byMetric: map[string]metricSpec{}, byEvent: map[string]eventSpec{}}
}

func (k *kindSpec) add(s *watchSpec, p *part) {
	k.parts, k.timed = append(k.parts, p), k.timed || p.timed
	for _, slot := range p.metrics {
		m := k.byMetric[s.metrics[slot]]
		k.byMetric[s.metrics[slot]] = metricSpec{slot, append(m.parts, p)}
	}
	for _, slot := range p.events {
		e := k.byEvent[s.events[slot]]
		k.byEvent[s.events[slot]] = eventSpec{slot, append(e.parts, p)}
	}
}

// compileWindow makes the parts of a window rule.
func (c *checker) compileWindow(at string, r *rule, spec *watchSpec) {
	components := r.Each
	if len(components) == 0 {
		components = []string{""}
	}
	for _, component := range components {
		p := &part{rule: r, component: component}
		p.raise = c.windowProgram(at+".raise", r.Raise, spec, p)
		if !r.Latch {
			p.clear = c.windowProgram(at+".clear", r.Clear, spec, p)
		}
		slices.Sort(p.metrics)
		slices.Sort(p.events)
		p.metrics, p.events = slices.Compact(p.metrics), slices.Compact(p.events)
		spec.add(p)
	}
}

// streamMark stands in an expression for the component of the part.
const streamMark = "{stream}"

func (c *checker) windowProgram(at, code string, spec *watchSpec, p *part) *vm.Program {
	b := &binder{spec: spec, part: p, functions: windowFunctions()}
	options := []expr.Option{expr.Env(&windowEnv{}), expr.AsBool(), expr.Patch(b)}
	for _, f := range b.functions {
		options = append(options, expr.DisableBuiltin(f.name), expr.Function(f.name, f.call, f.form))
	}
	program, err := expr.Compile(strings.ReplaceAll(code, streamMark, p.component), options...)
	switch {
	case code == "":
		c.fault(at, wantExpression)
	case p.component == "" && strings.Contains(code, streamMark):
		c.fault(at, streamMark+" stands for the streams of each, and there are none")
	case b.fault != "":
		c.fault(at, "expression: "+b.fault)
	case err != nil:
		c.expressionFault(at, err)
	}
	return program
}
