package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// Fleet is what a scenario does things to; fleet.Fleet is one.
type Fleet interface {
	Devices(kind telemetry.Kind) []string
	Event(id, typ string) error
	Repeat(id string, n int) error
	Send(id string, channel telemetry.Channel, payload []byte) error
	Cut(id string, d time.Duration) error
	Silence(id string, on bool) error
	Faults(id string, f device.Faults) error
	Reboot(id string) error
	Fill(id, stream string, pct float64) error
	Collect(id, stream string) error
	Burn(id string, on bool) error
}

// Outcome is what became of a step: reported once when it was done, and once more when its expectation was met or not.
type Outcome struct {
	Step    Step // with the device that was chosen
	Since   time.Duration
	Checked bool          // the second report, of the expectation
	Took    time.Duration // until the expected was seen
	Err     error
}

// Runner plays scenarios.
type Runner struct {
	Fleet   Fleet
	Console *Console      // nil = expectations are not checked
	Report  func(Outcome) // may be nil
	Seed    uint64
}

// play is one run.
type play struct {
	*Runner
	start  time.Time
	rng    *rand.Rand
	checks sync.WaitGroup
	mu     sync.Mutex
	faults []error
	keep   bool // faults are collected: not in an endless loop
}

// Run waits for start (nil = at once), plays the steps, and the loop until ctx ends, which is no error. It returns after the last
// expectation was decided.
func (r *Runner) Run(ctx context.Context, s *Scenario, start <-chan struct{}) error {
	if start != nil {
		select {
		case <-start:
		case <-ctx.Done():
			return nil
		}
	}
	p := &play{Runner: r, start: time.Now(), rng: rand.New(rand.NewPCG(r.Seed, 1)), keep: true}
	p.steps(ctx, s.Steps)
	if s.Loop != nil {
		p.loop(ctx, s.Loop)
	}
	p.checks.Wait()
	return errors.Join(p.faults...)
}

func (p *play) steps(ctx context.Context, steps []Step) {
	for _, s := range steps {
		if !pause(ctx, time.Until(p.start.Add(s.At))) {
			return
		}
		p.step(ctx, s)
	}
}

func (p *play) loop(ctx context.Context, l *Loop) {
	p.mu.Lock()
	p.keep = false
	p.mu.Unlock()
	for pause(ctx, l.Least+time.Duration(p.rng.Int64N(int64(l.Most-l.Least)+1))) {
		p.step(ctx, p.pick(l.Pick))
	}
}

func (p *play) pick(steps []Step) Step {
	total := 0
	for _, s := range steps {
		total += s.Weight
	}
	n := p.rng.IntN(total)
	for _, s := range steps {
		if n -= s.Weight; n < 0 {
			return s
		}
	}
	return steps[0]
}

// pause waits and reports whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// step does one and starts to watch for what is expected of it.
func (p *play) step(ctx context.Context, s Step) {
	err := p.choose(&s)
	mark := uint64(0)
	if p.Console != nil {
		mark = p.Console.Mark()
	}
	if err == nil {
		err = p.do(s)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", s.Do, s.Device, err)
	}
	p.report(Outcome{Step: s, Since: time.Since(p.start), Err: err})
	if s.Expect == nil || p.Console == nil || err != nil {
		return
	}
	began := time.Now()
	p.checks.Go(func() {
		err := p.Console.Await(ctx, mark, s.expected())
		if ctx.Err() == nil {
			p.report(Outcome{Step: s, Since: time.Since(p.start), Checked: true, Took: time.Since(began), Err: err})
		}
	})
}

// choose turns any:KIND into an id.
func (p *play) choose(s *Step) error {
	kind, random := strings.CutPrefix(s.Device, "any:")
	if !random {
		return nil
	}
	ids := p.Fleet.Devices(telemetry.Kind(kind))
	if len(ids) == 0 {
		return fmt.Errorf("the fleet has no %s", kind)
	}
	s.Device = ids[p.rng.IntN(len(ids))]
	return nil
}

func (p *play) do(s Step) error {
	f := p.Fleet
	switch s.Do {
	case DoEvent:
		for range s.Times {
			if err := f.Event(s.Device, s.Type); err != nil {
				return err
			}
		}
		return nil
	case DoRepeat:
		return f.Repeat(s.Device, s.Times)
	case DoSend:
		return f.Send(s.Device, telemetry.Channel(s.Channel), []byte(s.Payload))
	case DoCut:
		return f.Cut(s.Device, s.For)
	case DoSilence, DoSpeak:
		return f.Silence(s.Device, s.Do == DoSilence)
	case DoFaults:
		return f.Faults(s.Device, s.Faults)
	case DoReboot:
		return f.Reboot(s.Device)
	case DoFill:
		return f.Fill(s.Device, s.Stream, s.Pct)
	case DoCollect:
		return f.Collect(s.Device, s.Stream)
	case DoBurn, DoQuench:
		return f.Burn(s.Device, s.Do == DoBurn)
	}
	return nil
}

// report is called from the steps' goroutine and from the checks'.
func (p *play) report(o Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.Err != nil && p.keep {
		p.faults = append(p.faults, o.Err)
	}
	if p.Report != nil {
		p.Report(o)
	}
}

// expected is the step's expectation with the device filled in.
func (s Step) expected() Expect {
	e := *s.Expect
	if e.Device == "" {
		e.Device = s.Device
	}
	return e
}
