package alerts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"watchhouse/journal"
)

// tryRule is a rule of a test, as a file added to the shipped ones.
func tryRule(lines string) RuleSource {
	return RuleSource{"x.yaml", []byte("version: 1\nrules:\n  - id: X-TRY\n" + lines)}
}

const tryGood = `    title: {zh: 试, en: Try}
    kind: window
    scope: [garage]
    raise: last("temp_c") > 50
    clear: last("temp_c") < 40
    class: tech
    priority: 3
    auto_clear: true
    response: 查看。
`

// withoutWindows are the shipped rules before and after the window rules, which take long to compile.
func withoutWindows() RuleSource {
	text := string(shipped)
	from, to := strings.Index(text, "  - id: EB-POWER\n"), strings.Index(text, "  - id: SYS-JOURNAL-GAP\n")
	return RuleSource{"rules.yaml", []byte(text[:from] + text[to:])}
}

// TestWindowRuleFaults: each fault of a window rule is named with its line and column.
func TestWindowRuleFaults(t *testing.T) {
	if _, err := ParseRules(withoutWindows(), tryRule(tryGood)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, from, to, want string }{
		{"no scope", "    scope: [garage]\n", "", "x.yaml:3:5: a window rule names the kinds it watches"},
		{"no raise", "    raise: last(\"temp_c\") > 50\n", "", "x.yaml:3:5: want an expression"},
		{"no clear", "    clear: last(\"temp_c\") < 40\n", "", "x.yaml:3:5: want an expression"},
		{"no bool", `last("temp_c") > 50`, `last("temp_c")`, "x.yaml:7:12: expression: expected bool, but got float64"},
		{"an unknown function", `last("temp_c") > 50`, `average("temp_c") > 50`, "x.yaml:7:12: expression, line 1, column 1: unknown name average"},
		{"an unknown name", `last("temp_c") > 50`, `temp_c > 50`, "x.yaml:7:12: expression, line 1, column 1: unknown name temp_c"},
		{"too few arguments", `last("temp_c")`, `median("temp_c")`, "x.yaml:7:12: expression: median: want 2 arguments, got 1"},
		{"no metric", `last("temp_c") >`, `last(3) >`, `x.yaml:7:12: expression: last: want the name of a metric, as in "temp_c"`},
		{"a metric that cannot be", `last("temp_c") >`, `last("temp °C") >`, `x.yaml:7:12: expression: last: want the name of a metric`},
		{"a stream without each", `last("temp_c") >`, `last("fill_{stream}_pct") >`, "x.yaml:7:12: {stream} stands for the streams of each, and there are none"},
		{"no readings", `last("temp_c") >`, `median("temp_c", 0) >`, "want a number of readings from 1 to 32"},
		{"too many readings", `last("temp_c") >`, `median("temp_c", 33) >`, "want a number of readings from 1 to 32"},
		{"readings that are not written out", `last("temp_c") >`, `median("temp_c", 1 + 2) >`, "want a number of readings from 1 to 32"},
		{"five of three", `last("temp_c") >`, `highest("temp_c", 5, 3) >`, "highest: want m of n with m no larger than n"},
		{"no duration", `last("temp_c") >`, `drop("temp_c", 30) >`, `drop: want a duration, as in "30m"`},
		{"a long duration", `last("temp_c") >`, `drop("temp_c", "200h") >`, `drop: want a duration from "1s" to "168h"`},
		{"no quantile", `last("temp_c") >`, `quantile("temp_c", 95, "24h") >`, "quantile: want a number from 0 to 1"},
		{"no event", `last("temp_c") >`, `count(7, "30m") >`, `count: want the type of an event, as in "opened"`},
		{"no time of day", `last("temp_c") >`, `until("25:00") >`, `until: want a time of day, as in "06:00"`},
		{"a rule further down", `last("temp_c") > 50`, `raised("X-TRY")`, "raised: want a window rule that comes earlier in the file"},
		{"an event rule", `last("temp_c") > 50`, `raised("EB-SOS")`, "raised: want a window rule that comes earlier in the file"},
		{"a negative delay", "    class: tech\n", "    on_delay: -1s\n    class: tech\n", "x.yaml:9:15: want 0s to 168h"},
		{"streams twice", "    class: tech\n", "    each: [wet, wet]\n    class: tech\n", "x.yaml:9:17: want different words"},
		{"a stream that is no word", "    class: tech\n", "    each: [\"湿\"]\n    class: tech\n", "x.yaml:9:12: want different words"},
		{"neither latched nor clearing itself", "    auto_clear: true\n", "", "clear themselves"},
		{"latched with a clear", "    auto_clear: true\n", "    latch: true\n", "x.yaml:8:12: a latched rule is cleared by a person"},
		{"a loud word", "    class: tech\n", "    annunciate: shout\n    class: tech\n", "x.yaml:9:17: want alarm, order or log"},
		{"a loud order", "    class: tech\n", "    annunciate: order\n    order: {duty: tech}\n    response_en: Look.\n    class: tech\n", "x.yaml:9:17: an order or a record is silent: priority 4"},
		{"nobody's order", "    class: tech\n    priority: 3\n", "    annunciate: order\n    class: tech\n    priority: 4\n", "an order says whose duty it is"},
		{"an order to an unknown duty", "    class: tech\n    priority: 3\n", "    annunciate: order\n    order: {duty: cook}\n    response_en: Look.\n    class: tech\n    priority: 4\n", "x.yaml:10:19: want sanitation, tech"},
		{"an order in one language", "    class: tech\n    priority: 3\n", "    annunciate: order\n    order: {duty: tech}\n    class: tech\n    priority: 4\n", "in both languages"},
		{"an order that is none", "    class: tech\n", "    order: {duty: tech}\n    class: tech\n", "only with annunciate: order"},
		{"a P1 that waits", "    class: tech\n    priority: 3\n    auto_clear: true\n", "    on_delay: 1s\n    class: person\n    priority: 1\n    latch: true\n", "x.yaml:9:15: priority 1 is not delayed, fire by at most 1m0s"},
		{"a fire that waits too long", "    class: tech\n    priority: 3\n    auto_clear: true\n", "    on_delay: 61s\n    class: fire\n    priority: 1\n    latch: true\n", "x.yaml:9:15: priority 1 is not delayed, fire by at most 1m0s"},
		{"promoted to P1", "    class: tech\n", "    escalation: [{name: late, after: 1h, raise_to: 1}]\n    class: tech\n", "only a message or a person makes an incident priority 1"},
		{"keys of a window rule elsewhere", "    kind: window\n", "    kind: event\n    on_delay: 1m\n", "x.yaml:6:15: only a window rule has it"},
		{"clocks in an added file", "version: 1\n", "version: 1\nclocks: {4: {close: 1h}}\n", "x.yaml:2:10: an added file has rules only"},
		{"an id of the shipped rules", "X-TRY", "EB-SOS", "x.yaml:3:9: id EB-SOS is used twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			good := tryRule(tryGood)
			text := strings.Replace(string(good.Text), c.from, c.to, 1)
			if text == string(good.Text) {
				t.Fatal("the case changes nothing")
			}
			_, err := ParseRules(withoutWindows(), RuleSource{"x.yaml", []byte(text)})
			if fault, ok := errors.AsType[*RuleError](err); !ok || fault.Line < 1 || fault.Column < 1 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want …%s", err, c.want)
			}
		})
	}
}

// functions are what each function gives of a story: readings and events of g1, ten minutes apart, of s2 to s4 beside it.
var functions = []struct {
	expression string
	story      string // of "metric=value", "event!" and "-" for nothing
	want       truth
}{
	{`last("temp_c") == 30`, "temp_c=20 temp_c=30", yes},
	{`last("temp_c") == 20`, "temp_c=20 temp_c=30", no},
	{`last("temp_c") == 20`, "-", unknown},
	{`last("temp_c") == 20`, "temp_c=20 - - - - - - - - - - - - - - - - - - -", unknown}, // older than three report intervals
	{`last("temp_c") < 50 || last("other") > 1`, "temp_c=20", yes},
	{`last("temp_c") > 50 || last("other") > 1`, "temp_c=20", unknown},
	{`median("temp_c", 3) == 20`, "temp_c=90 temp_c=20 temp_c=10", yes},
	{`median("temp_c", 3) == 20`, "temp_c=90 temp_c=20", unknown},
	{`highest("temp_c", 2, 3) == 20`, "temp_c=90 temp_c=20 temp_c=10", yes},
	{`lowest("temp_c", 1, 3) == 10`, "temp_c=90 temp_c=20 temp_c=10", yes},
	{`jump("temp_c", "15m") == -60`, "temp_c=90 temp_c=30", yes},
	{`jump("temp_c", "15m") == 0`, "temp_c=90 - temp_c=30", yes},
	{`drop("temp_c", "30m") == 60`, "temp_c=90 temp_c=40 temp_c=30", yes},
	{`drop("temp_c", "10m") == 10`, "temp_c=90 temp_c=40 temp_c=30", yes},
	{`rate("temp_c", "1m") == 2`, "temp_c=20 temp_c=40", yes},
	{`rate("temp_c", "20m") == 3`, "temp_c=20 temp_c=40 temp_c=80", yes},
	{`rate("temp_c", "1m") > 0`, "temp_c=20", unknown},
	{`spread("temp_c", "20m") == 0`, "temp_c=7 temp_c=7 temp_c=7", yes},
	{`spread("temp_c", "20m") == 0`, "temp_c=7 temp_c=7 temp_c=8", no},
	{`spread("temp_c", "1h") == 0`, "temp_c=7 temp_c=7 temp_c=7", unknown},
	{`quantile("temp_c", 0.5, "10m") == 3`, "temp_c=3", unknown},
	{`quantile("temp_c", 0.5, "160m") == 9`, "temp_c=1 temp_c=2 temp_c=3 temp_c=4 temp_c=5 temp_c=6 temp_c=7 temp_c=8 temp_c=9 temp_c=10 temp_c=11 temp_c=12 temp_c=13 temp_c=14 temp_c=15 temp_c=16", yes},
	{`age("temp_c") == 0.5`, "temp_c=7 - - other=1", yes},
	{`age("temp_c") == 0.5`, "other=7 - - other=1", yes}, // since it was first heard
	{`count("opened", "30m") == 2`, "opened! opened! other=1", yes},
	{`count("opened", "20m") == 1`, "opened! opened! other=1", yes},
	{`count("opened", "30m") == 0`, "other=1", yes},
	{`outside("opened", "30m") == 0`, "opened! other=1", yes}, // the place has no hours
	{`since_emptied("fill_pct") == 0.5`, "fill_pct=90 fill_pct=10 fill_pct=11 fill_pct=12 fill_pct=13", yes},
	{`since_emptied("fill_pct") == 0.5`, "fill_pct=9 fill_pct=10 fill_pct=11 fill_pct=12", yes}, // since it was first measured
	{`since_emptied("fill_pct") == 0.5`, "emptied! - - other=1", yes},
	{`since_emptied("fill_pct") == 0.5`, "other=1 other=2 other=3 other=4", unknown},
	{`eta("fill_pct", 95) == 1`, "fill_pct=5 - - - - - fill_pct=50", yes},
	{`eta("fill_pct", 95) > 1`, "fill_pct=5 fill_pct=50", unknown}, // too soon to tell
	{`until("08:30") == 0.5`, "other=1", yes},                      // the bubble begins at eight o'clock in Shanghai
	{`until("07:00") == 23`, "other=1", yes},
	{`neighbours("temp_c") == 20`, "temp_c=40", yes},
	{`neighbours("humidity_pct") == 20`, "humidity_pct=40", unknown},
	{`raised("X-EARLY")`, "temp_c=99", yes},
	{`raised("X-EARLY")`, "temp_c=10", no},
	{`open && mains && interval_s == 3600`, "other=1", yes},
}

// TestWindowFunctions holds what each function means.
func TestWindowFunctions(t *testing.T) {
	for _, c := range functions {
		t.Run(c.expression+" of "+c.story, func(t *testing.T) {
			inBubble(t, func(t *testing.T, p *plant) {
				w, try := p.tryExpression(c.expression)
				for _, other := range []string{"s2", "s3", "s4"} {
					w.tell(p, other, "temp_c=20")
				}
				story := strings.Fields(c.story)
				for i, said := range story {
					w.tell(p, "s1", said)
					if i < len(story)-1 {
						time.Sleep(10 * time.Minute)
					}
				}
				d := w.device("s1")
				w.enter(d, time.Now().UnixMilli())
				if got := w.eval(try, try.raise); got != c.want {
					t.Errorf("got %d, want %d", got, c.want)
				}
			})
		})
	}
	want := []string{}
	for _, f := range windowFunctions() {
		if !slices.ContainsFunc(functions, func(c struct {
			expression, story string
			want              truth
		},
		) bool {
			return strings.Contains(c.expression, f.name+"(")
		}) {
			want = append(want, f.name)
		}
	}
	if len(want) > 0 {
		t.Errorf("without a case: %q", want)
	}
}

// tryExpression makes a watch whose last rule has the expression, beside one that is up from fifty degrees.
func (p *plant) tryExpression(expression string) (*watch, *part) {
	p.tb.Helper()
	streets(p)
	d := p.world.devices["s1"]
	d.Place, d.ReportInterval = "p3", time.Hour
	p.world.devices["s1"] = d
	early := strings.NewReplacer("X-TRY", "X-EARLY", "garage", "sorting_point").Replace(string(tryRule(tryGood).Text))
	late := tryRule(strings.NewReplacer("[garage]", "[sorting_point]", `last("temp_c") > 50`, fmt.Sprintf("|\n      %s || age(\"other\") < 0", expression)).Replace(tryGood))
	late.Name = "late.yaml"
	rules, err := ParseRules(withoutWindows(), RuleSource{"early.yaml", []byte(early)}, late)
	if err != nil {
		p.tb.Fatal(err)
	}
	w := newWatch(rules, p.ports(), func() int64 { return time.Now().UnixNano() })
	w.begin(journal.Position{}, journal.Position{}, nil, nil)
	return w, rules.watch.exactly("X-TRY", "")
}

// tell brings one thing that a device says, and the time.
func (w *watch) tell(p *plant, device, said string) {
	lane := journal.TelemetryLane
	switch metric, value, reading := strings.Cut(said, "="); {
	case reading:
		p.reading(device, fmt.Sprintf(`{%q:%s}`, metric, value))
	case strings.HasSuffix(said, "!"):
		lane = journal.EventLane
		p.press(device, fmt.Sprintf(`{"type":%q}`, strings.TrimSuffix(said, "!")))
	default:
		p.reading(device, `{"nothing":1}`)
	}
	from := map[journal.LaneName]*fakeLane{journal.TelemetryLane: p.tele, journal.EventLane: p.event}[lane]
	f := feed{lane: lane, spec: w.spec, world: w.world, log: w.log}
	f.take(&from.entries[len(from.entries)-1])
	synctest.Wait()
	w.take(p.tb.Context(), lane, f.taken(), journal.Position{Frame: 1}, time.Now().UnixNano())
}
