package scenario

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"watchhouse/simulators/device"
	"watchhouse/simulators/hudong"
	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// log is a fleet that writes down what is done to it and when, and may answer on a console.
type log struct {
	mu     sync.Mutex
	start  time.Time
	lines  []string
	ids    map[telemetry.Kind][]string
	answer func(l *log, id, what string)
}

func (l *log) note(id, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	l.mu.Lock()
	l.lines = append(l.lines, fmt.Sprintf("%v %s %s", time.Since(l.start).Round(time.Millisecond), id, what))
	l.mu.Unlock()
	if l.answer != nil {
		l.answer(l, id, what)
	}
	if id == "nobody" {
		return errors.New("no such device")
	}
	return nil
}

func (l *log) Devices(k telemetry.Kind) []string       { return l.ids[k] }
func (l *log) Event(id, typ string) error              { return l.note(id, "event %s", typ) }
func (l *log) Repeat(id string, n int) error           { return l.note(id, "repeat %d", n) }
func (l *log) Cut(id string, d time.Duration) error    { return l.note(id, "cut %v", d) }
func (l *log) Silence(id string, on bool) error        { return l.note(id, "silence %v", on) }
func (l *log) Faults(id string, _ device.Faults) error { return l.note(id, "faults") }
func (l *log) Reboot(id string) error                  { return l.note(id, "reboot") }
func (l *log) Burn(id string, on bool) error           { return l.note(id, "burn %v", on) }
func (l *log) Collect(id, stream string) error         { return l.note(id, "collect %s", stream) }
func (l *log) Fill(id, stream string, pct float64) error {
	return l.note(id, "fill %s %v", stream, pct)
}

func (l *log) Send(id string, c telemetry.Channel, p []byte) error {
	return l.note(id, "send %s %s", c, p)
}

func parse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStepsComeInTheirTimeAfterTheStart(t *testing.T) {
	s := parse(t, `
name: all
steps:
  - {at: 1s, do: event, device: a, type: sos, times: 2}
  - {at: 1s, do: repeat, device: a, times: 3}
  - {at: 2s, do: send, device: a, payload: x}
  - {at: 2s, do: send, device: a, channel: telemetry, payload: y}
  - {at: 3s, do: cut, device: a, for: 5s}
  - {at: 3s, do: silence, device: a}
  - {at: 4s, do: speak, device: a}
  - {at: 4s, do: faults, device: a, faults: {late: 0.5, late_by: 3s}}
  - {at: 4s, do: reboot, device: any:gateway}
  - {at: 5s, do: fill, device: p, stream: wet, pct: 97}
  - {at: 5s, do: collect, device: p, stream: wet}
  - {at: 6s, do: burn, device: g}
  - {at: 6s, do: quench, device: g}
`)
	synctest.Test(t, func(t *testing.T) {
		f := &log{ids: map[telemetry.Kind][]string{telemetry.Gateway: {"gw-1"}}}
		start := make(chan struct{})
		go func() {
			time.Sleep(time.Hour)
			f.start = time.Now()
			close(start)
		}()
		if err := (&Runner{Fleet: f}).Run(t.Context(), s, start); err != nil {
			t.Fatal(err)
		}
		want := []string{
			"1s a event sos", "1s a event sos", "1s a repeat 3", "2s a send event x", "2s a send telemetry y", "3s a cut 5s",
			"3s a silence true", "4s a silence false", "4s a faults", "4s gw-1 reboot",
			"5s p fill wet 97", "5s p collect wet", "6s g burn true", "6s g burn false",
		}
		if !slices.Equal(f.lines, want) {
			t.Errorf("have %q", f.lines)
		}
	})
	if s.Steps[7].Faults != (device.Faults{Late: 0.5, LateBy: 3 * time.Second}) {
		t.Errorf("faults %+v", s.Steps[7].Faults)
	}
}

func raised(rule, dev string, priority int, badges ...string) []stream.Transition {
	return []stream.Transition{{Kind: "raised", Incident: &stream.Incident{Rule: rule, Device: dev, Priority: priority, Badges: badges}}}
}

// Each expectation is met, or named with what came instead; what came before the step does not count.
func TestExpectations(t *testing.T) {
	const step = "name: n\nsteps:\n  - {at: 1s, do: event, device: a, type: sos, expect: {%s}}\n"
	for _, c := range []struct {
		name, expect string
		answer       []stream.Transition
		after        time.Duration
		want         string // part of the error, "" = met
	}{
		{"seen", "rule: EB-SOS, kind: raised, priority: 1, within: 1s", raised("EB-SOS", "a", 1), 100 * time.Millisecond, ""},
		{"another device", "rule: EB-SOS, within: 1s", raised("EB-SOS", "b", 1), 0, "EB-SOS a within 1s: not seen; seen: EB-SOS b raised P1"},
		{"named device", "rule: EB-SOS, device: b, within: 1s", raised("EB-SOS", "b", 1), 0, ""},
		{"wrong priority", "priority: 1, within: 1s", raised("EB-SOS", "a", 3), 0, "P1 within 1s: not seen"},
		{"badge", "badge: delayed, within: 1s", raised("EB-SOS", "a", 1, "delayed"), 0, ""},
		{"no badge", "badge: delayed, within: 1s", raised("EB-SOS", "a", 1), 0, "not seen"},
		{"too late", "within: 1s", raised("EB-SOS", "a", 1), 1100 * time.Millisecond, "not seen"},
		{"nothing, as it must be", "none: true, within: 1s", nil, 0, ""},
		{"something that must not be", "none: true, within: 1s", raised("EB-SOS", "a", 1), 500 * time.Millisecond, "must not"},
	} {
		s := parse(t, fmt.Sprintf(step, c.expect))
		synctest.Test(t, func(t *testing.T) {
			console := NewConsole()
			console.Handler().Batch(stream.Batch{Transitions: raised("EB-SOS", "a", 1, "delayed")}) // long before
			f := &log{answer: func(_ *log, _, _ string) {
				if c.answer != nil {
					time.AfterFunc(c.after, func() { console.Handler().Batch(stream.Batch{Transitions: c.answer}) })
				}
			}}
			reports := 0
			err := (&Runner{Fleet: f, Console: console, Report: func(Outcome) { reports++ }}).Run(t.Context(), s, nil)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%s: have %v, want %q", c.name, err, c.want)
			}
			if reports != 2 {
				t.Errorf("%s: %d reports, want one of the step and one of the expectation", c.name, reports)
			}
			time.Sleep(2 * time.Second) // lets the late answer come before the bubble ends
		})
	}
}

func TestAFailedStepIsNamed(t *testing.T) {
	s := parse(t, "name: n\nsteps:\n  - {do: cut, device: nobody, for: 1s}\n  - {do: reboot, device: any:garage}\n")
	err := (&Runner{Fleet: &log{}}).Run(t.Context(), s, nil)
	if err == nil || !strings.Contains(err.Error(), "cut nobody: no such device") || !strings.Contains(err.Error(), "no garage") {
		t.Errorf("have %v", err)
	}
}

// The loop goes on until the end of the context, with pauses between its bounds, by weight, the same for the same seed.
func TestLoop(t *testing.T) {
	s := parse(t, `
name: n
steps: [{do: watch}]
loop:
  least: 1m
  most: 3m
  pick:
    - {weight: 3, do: event, device: "any:emergency_button", type: sos}
    - {weight: 1, do: event, device: "any:emergency_button", type: test}
`)
	run := func(seed uint64) (f *log) {
		f = &log{ids: map[telemetry.Kind][]string{telemetry.EmergencyButton: {"a", "b", "c"}}}
		synctest.Test(t, func(t *testing.T) {
			f.start = time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
			defer cancel()
			if err := (&Runner{Fleet: f, Seed: seed}).Run(ctx, s, nil); err != nil {
				t.Error(err)
			}
		})
		return f
	}
	lines := run(1).lines
	sos := strings.Count(strings.Join(lines, "\n"), "sos")
	if n := len(lines); n < 600 || n > 840 || sos < n*6/10 || sos > n*9/10 {
		t.Errorf("in a day %d things happened, %d of them calls", n, sos)
	}
	if !slices.Equal(lines, run(1).lines) || slices.Equal(lines, run(2).lines) {
		t.Error("a seed must give one day, and another seed another")
	}
}

func TestNotStartedEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := &log{}
	if err := (&Runner{Fleet: f}).Run(ctx, parse(t, "name: n\nsteps: [{do: event, device: a, type: sos}]"), make(chan struct{})); err != nil || f.lines != nil {
		t.Errorf("have %v, %v", err, f.lines)
	}
}

func TestParseErrorsHaveAPlace(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"syntax", "name: [", "t.yaml:1:"},
		{"unknown key", "name: n\nsteps:\n  - do: watch\n    devise: x\n", `t.yaml:4:5: unknown field "devise"`},
		{"wrong type", "name: n\nsteps:\n  - do: watch\n    times: many\n", "t.yaml:4:12:"},
		{"bad duration", "name: n\nsteps:\n  - do: watch\n    at: soon\n", "t.yaml"},
		{"no name", "steps: [{do: watch}]", "name: want a name"},
		{"no steps", "name: n\n", "steps: want at least one"},
		{"unknown action", "name: n\nsteps:\n  - device: a\n    do: dance\n", "t.yaml:4:9: steps[0].do: want event"},
		{"no device", "name: n\nsteps:\n  - do: reboot\n", "t.yaml:3:"},
		{"no type", "name: n\nsteps:\n  - {do: event, device: a}\n", "steps[0].type"},
		{"no length", "name: n\nsteps:\n  - {do: cut, device: a}\n", "steps[0].for"},
		{"no bin", "name: n\nsteps:\n  - {do: fill, device: a, pct: 3}\n", "steps[0].stream"},
		{"too full", "name: n\nsteps:\n  - {do: fill, device: a, stream: wet, pct: 101}\n", "t.yaml:3:"},
		{"no level", "name: n\nsteps:\n  - {do: fill, device: a, stream: wet, pct: .nan}\n", "steps[0].pct"},
		{"order", "name: n\nsteps:\n  - {at: 2s, do: watch}\n  - {at: 1s, do: watch}\n", "t.yaml:4:"},
		{"weight outside", "name: n\nsteps:\n  - {do: watch, weight: 2}\n", "steps[0].weight"},
		{"expectation without end", "name: n\nsteps:\n  - do: watch\n    expect:\n      rule: X\n", "steps[0].expect.within"},
		{"loop bounds", "name: n\nsteps: [{do: watch}]\nloop: {least: 2m, most: 1m, pick: [{weight: 1, do: watch}]}\n", "t.yaml:3:"},
		{"empty loop", "name: n\nsteps: [{do: watch}]\nloop: {least: 1m, most: 1m}\n", "loop.pick"},
		{"loop weight", "name: n\nsteps: [{do: watch}]\nloop:\n  least: 1m\n  most: 1m\n  pick:\n    - do: watch\n", "t.yaml:7:"},
	} {
		_, err := Parse("t.yaml", []byte(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: have %v, want %q", c.name, err, c.want)
		}
	}
}

// The story parses, names only devices that the example has, tells what it does in both languages, and begins with a press after ten
// seconds.
func TestStoryFitsTheExample(t *testing.T) {
	s, err := Story()
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]telemetry.Kind{}
	for _, d := range hudong.Generate(hudong.ExampleSeed).Devices {
		kinds[d.ID] = d.Kind
		if d.ID == "btn-0041" && d.Gateway != "gw-03" {
			t.Errorf("btn-0041 is behind %s; the story cuts gw-03 before it presses", d.Gateway)
		}
	}
	vocabulary, err := catalog.Shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range slices.Concat(s.Steps, s.Loop.Pick) {
		if _, random := strings.CutPrefix(step.Device, "any:"); !random && kinds[step.Device] == "" {
			t.Errorf("%s is not in the example", step.Device)
		}
		if (step.Say.ZH == "") != (step.Say.EN == "") {
			t.Errorf("%s %s is told in one language only", step.Do, step.Device)
		}
		if step.Do == DoEvent && !vocabulary.KnownEvent(kindOf(step.Device, kinds), step.Type) {
			t.Errorf("%s does not know the event %s", step.Device, step.Type)
		}
	}
	if first := s.Steps[0]; first.At != 10*time.Second || first.Type != "sos" || first.Expect == nil {
		t.Errorf("the story begins with %+v", first)
	}
}

func kindOf(id string, kinds map[string]telemetry.Kind) telemetry.Kind {
	if kind, random := strings.CutPrefix(id, "any:"); random {
		return telemetry.Kind(kind)
	}
	return kinds[id]
}

func TestConsoleForgetsTheOldest(t *testing.T) {
	c := NewConsole()
	for range kept + 10 {
		c.add(raised("X", "a", 1))
	}
	if len(c.seen) != kept || c.Mark() != kept+10 {
		t.Errorf("remembers %d of %d", len(c.seen), c.Mark())
	}
	if _, after := c.after(kept + 8); len(after) != 2 {
		t.Errorf("%d after the mark, want 2", len(after))
	}
	if _, after := c.after(0); len(after) != kept {
		t.Errorf("%d after the beginning, want all that is remembered", len(after))
	}
}
