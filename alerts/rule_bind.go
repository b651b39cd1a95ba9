package alerts

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr/ast"

	"watchhouse/alerts/window"
	"watchhouse/telemetry"
)

// windowFunction is a function of window rules. Its parameters are told by a letter each: m a metric, e an event, n a count,
// q a number from 0 to 1, d a duration, c a time of day, r a rule, x any number; t a metric that is the level of a tank, 2 one of
// which two readings are kept, s and f a duration whose readings are kept coarsely or finely.
type windowFunction struct {
	name, want string
	call       func(params ...any) (any, error)
	form       any // its Go type after binding
}

// windowFunctions are all that a window rule may call. Times are in hours, rates of change per minute.
func windowFunctions() []windowFunction {
	one, two := new(func(*frame, int) float64), new(func(*frame, int, int) float64)
	three := new(func(*frame, int, int, int) float64)
	return []windowFunction{
		{"last", "m", func(p ...any) (any, error) { return frameOf(p).last(p[1].(int)), nil }, one},
		{"median", "mn", func(p ...any) (any, error) { return frameOf(p).median(p[1].(int), p[2].(int)), nil }, two},
		{"highest", "mnn", func(p ...any) (any, error) { return frameOf(p).highest(p[1].(int), p[2].(int), p[3].(int)), nil }, three},
		{"lowest", "mnn", func(p ...any) (any, error) { return frameOf(p).lowest(p[1].(int), p[2].(int), p[3].(int)), nil }, three},
		{"jump", "2d", func(p ...any) (any, error) { return frameOf(p).jump(p[1].(int), p[2].(int)), nil }, two},
		{"drop", "ms", func(p ...any) (any, error) { return frameOf(p).drop(p[1].(int), p[2].(int)), nil }, two},
		{"rate", "ms", func(p ...any) (any, error) { return frameOf(p).rate(p[1].(int), p[2].(int)), nil }, two},
		{"spread", "ms", func(p ...any) (any, error) { return frameOf(p).spread(p[1].(int), p[2].(int)), nil }, two},
		{"quantile", "mqf", func(p ...any) (any, error) { return frameOf(p).quantile(p[1].(int), p[2].(float64), p[3].(int)), nil }, new(func(*frame, int, float64, int) float64)},
		{"age", "m", func(p ...any) (any, error) { return frameOf(p).age(p[1].(int)), nil }, one},
		{"neighbours", "m", func(p ...any) (any, error) { return frameOf(p).neighbours(p[1].(int)), nil }, one},
		{"count", "ed", func(p ...any) (any, error) { return frameOf(p).count(p[1].(int), p[2].(int)), nil }, new(func(*frame, int, int) int)},
		{"outside", "ed", func(p ...any) (any, error) { return frameOf(p).outside(p[1].(int), p[2].(int)), nil }, new(func(*frame, int, int) int)},
		{"since_emptied", "t", func(p ...any) (any, error) { return frameOf(p).sinceEmptied(p[1].(int)), nil }, one},
		{"eta", "tx", func(p ...any) (any, error) { return frameOf(p).eta(p[1].(int), number(p[2])), nil }, new(func(*frame, int, any) float64)},
		{"until", "c", func(p ...any) (any, error) { return frameOf(p).until(p[1].(int)), nil }, one},
		{"raised", "r", func(p ...any) (any, error) { return frameOf(p).raised(p[1].(int)), nil }, new(func(*frame, int) bool)},
	}
}

// frameOf is the frame, which the binder has put first.
func frameOf(params []any) *frame { return params[0].(*frame) }

// number is any number of an expression.
func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int:
		return float64(n)
	}
	return math.NaN()
}

// binder replaces the names in the calls of an expression by what they stand for, so that an evaluation looks nothing up:
// median("temp_c", 3) becomes median(frame, 4, 3). On the way it notes what the part reads, and the spec what must be kept.
type binder struct {
	spec      *watchSpec
	part      *part
	functions []windowFunction
	fault     string // the first one
}

// Visit is for expr.Patch.
func (b *binder) Visit(node *ast.Node) {
	if id, ok := (*node).(*ast.IdentifierNode); ok && id.Value == "open" {
		b.part.timed = true
	}
	call, ok := (*node).(*ast.CallNode)
	if !ok {
		return
	}
	name, ok := call.Callee.(*ast.IdentifierNode)
	if !ok {
		return
	}
	i := slices.IndexFunc(b.functions, func(f windowFunction) bool { return f.name == name.Value })
	if i < 0 {
		return
	}
	f := b.functions[i]
	if len(call.Arguments) != len(f.want) {
		b.fail(f, "want %d arguments, got %d", len(f.want), len(call.Arguments))
		return
	}
	bound := []ast.Node{&ast.IdentifierNode{Value: "frame"}}
	slot := 0 // of the metric named before
	for k, arg := range call.Arguments {
		bound = append(bound, b.argument(f, f.want[k], arg, &slot))
	}
	if f.name == "highest" || f.name == "lowest" {
		b.mOfN(f, bound[2], bound[3])
	}
	ast.Patch(node, &ast.CallNode{Callee: call.Callee, Arguments: bound})
	b.part.timed = b.part.timed || slices.Contains([]string{"age", "count", "outside", "since_emptied", "eta", "until"}, f.name)
}

func (b *binder) fail(f windowFunction, format string, args ...any) {
	if b.fault == "" {
		b.fault = f.name + ": " + fmt.Sprintf(format, args...)
	}
}

// argument gives what stands for one argument.
func (b *binder) argument(f windowFunction, want byte, arg ast.Node, slot *int) ast.Node {
	switch want {
	case 'm', 't', '2':
		*slot = b.metric(f, arg, want)
		return &ast.IntegerNode{Value: *slot}
	case 'n':
		return &ast.IntegerNode{Value: b.readings(f, arg, *slot)}
	case 'd':
		return &ast.IntegerNode{Value: int(b.duration(f, arg).Milliseconds())}
	case 's':
		return &ast.IntegerNode{Value: b.spec.span(*slot, b.duration(f, arg), window.Coarse)}
	case 'f':
		return &ast.IntegerNode{Value: b.spec.span(*slot, b.duration(f, arg), window.Fine)}
	case 'e':
		return &ast.IntegerNode{Value: b.event(f, arg)}
	case 'c':
		return &ast.IntegerNode{Value: b.timeOfDay(f, arg)}
	case 'r':
		return &ast.IntegerNode{Value: b.rule(f, arg)}
	case 'q':
		return b.fraction(f, arg)
	}
	return arg
}

func (b *binder) metric(f windowFunction, arg ast.Node, want byte) int {
	name, ok := arg.(*ast.StringNode)
	if !ok || !telemetry.ValidMetric(name.Value) {
		b.fail(f, `want the name of a metric, as in "temp_c"`)
		return 0
	}
	slot := b.spec.metric(name.Value)
	need := &b.spec.needs[slot]
	need.Tank = need.Tank || want == 't'
	if want == '2' {
		need.Readings = max(need.Readings, 2)
	}
	b.part.metrics = append(b.part.metrics, slot)
	return slot
}

// maxReadings bounds how many readings of a metric are kept one by one.
const maxReadings = 32

func (b *binder) readings(f windowFunction, arg ast.Node, slot int) int {
	n, ok := arg.(*ast.IntegerNode)
	if !ok || n.Value < 1 || n.Value > maxReadings {
		b.fail(f, "want a number of readings from 1 to %d", maxReadings)
		return 1
	}
	need := &b.spec.needs[slot]
	need.Readings = max(need.Readings, n.Value)
	return n.Value
}

func (b *binder) mOfN(f windowFunction, m, n ast.Node) {
	if m.(*ast.IntegerNode).Value > n.(*ast.IntegerNode).Value {
		b.fail(f, "want m of n with m no larger than n")
	}
}

// maxSpan bounds how far a rule may look back; the lanes keep no more.
const maxSpan = 7 * 24 * time.Hour

func (b *binder) duration(f windowFunction, arg ast.Node) time.Duration {
	text, ok := arg.(*ast.StringNode)
	if !ok {
		b.fail(f, `want a duration, as in "30m"`)
		return time.Minute
	}
	d, err := time.ParseDuration(text.Value)
	if err != nil || d < time.Second || d > maxSpan {
		b.fail(f, `want a duration from "1s" to "168h"`)
		return time.Minute
	}
	return d
}

func (b *binder) event(f windowFunction, arg ast.Node) int {
	name, ok := arg.(*ast.StringNode)
	if !ok || name.Value == "" {
		b.fail(f, `want the type of an event, as in "opened"`)
		return 0
	}
	slot := b.spec.event(name.Value)
	b.part.events = append(b.part.events, slot)
	return slot
}

// timeOfDay gives minutes after midnight.
func (b *binder) timeOfDay(f windowFunction, arg ast.Node) int {
	text, ok := arg.(*ast.StringNode)
	if !ok {
		b.fail(f, `want a time of day, as in "06:00"`)
		return 0
	}
	t, err := time.Parse("15:04", text.Value)
	if err != nil {
		b.fail(f, `want a time of day, as in "06:00"`)
	}
	return t.Hour()*60 + t.Minute()
}

func (b *binder) rule(f windowFunction, arg ast.Node) int {
	id, ok := arg.(*ast.StringNode)
	if !ok {
		b.fail(f, `want the id of a window rule, as in "WS-SENSOR"`)
		return 0
	}
	p := b.spec.exactly(id.Value, b.part.component)
	if p == nil { // one of the whole device
		p = b.spec.exactly(id.Value, "")
	}
	if p == nil {
		b.fail(f, "want a window rule that comes earlier in the file")
		return 0
	}
	// What the other rule reads decides on this one too.
	b.part.metrics, b.part.events = append(b.part.metrics, p.metrics...), append(b.part.events, p.events...)
	b.part.timed = b.part.timed || p.timed
	return p.at
}

func (b *binder) fraction(f windowFunction, arg ast.Node) ast.Node {
	q := math.NaN()
	switch n := arg.(type) {
	case *ast.FloatNode:
		q = n.Value
	case *ast.IntegerNode:
		q = float64(n.Value)
	}
	if !(q >= 0 && q <= 1) {
		b.fail(f, "want a number from 0 to 1")
	}
	return &ast.FloatNode{Value: q}
}
