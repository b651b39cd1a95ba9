package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"watchhouse/journal"
)

// refusal is a point, or one field of it, that the server will never take.
type refusal struct {
	p      point
	field  string // "" = the whole point
	reason string
}

// errDoubt: the server refused many points, took none, and its words are not known. The fault may not be the points'.
var errDoubt = errors.New("ingest: every point is refused for a reason that is not known")

// doubtLimit is how many single points may be refused in unknown words before one is accepted.
const doubtLimit = 32

// delivery is the way of one batch: its parts that were stored and those refused for good.
type delivery struct {
	i        *Ingest
	lane     journal.LaneName
	once     bool // do not wait for a server that does not accept
	enc      lineEncoder
	accepted int
	doubted  int
	refused  []refusal
	rest     []point // probably stored or sound, to be sent once more
	passes   int     // how often rest was not sound
}

// confirm delivers the batch. While the server refuses all of it in words that are not known, it waits and adds to the batch
// what the lane holds by then: once the server takes a single point, the fault is the others'.
func (i *Ingest) confirm(ctx context.Context, lane journal.LaneName, b *batch, extend func()) error {
	if len(b.points) == 0 || i.db == nil {
		return nil
	}
	i.writing.Add(1)
	defer i.writing.Add(-1)
	for attempt := 0; ; attempt++ {
		err := i.deliver(ctx, lane, b.points)
		if !errors.Is(err, errDoubt) {
			return err
		}
		i.down(err.Error(), "")
		i.stats.count(func(s *Stats) { s.Retries++ })
		if err := sleep(ctx, i.pause(attempt, 0)); err != nil {
			return err
		}
		extend()
	}
}

// deliver returns when each point is stored or refused by itself, or with errDoubt or the error of ctx. Only then do refusals
// become dead letters, so that a batch that is tried again reports them once.
func (i *Ingest) deliver(ctx context.Context, lane journal.LaneName, points []point) error {
	d := &delivery{i: i, lane: lane}
	if err := d.store(ctx, points); err != nil {
		return err
	}
	if d.doubted > 0 && d.accepted == 0 {
		return errDoubt
	}
	i.settle(d)
	return nil
}

// send makes one request, again and again while the points are not at fault.
func (d *delivery) send(ctx context.Context, points []point) (answer, error) {
	lines, fault := d.enc.encode(points)
	if fault != "" { // ours, but it must not hold up the lane either: halving finds the point
		return answer{verdict: refused, reason: fault, dropped: -1}, nil
	}
	for attempt := 0; ; attempt++ {
		a := judge(d.i.db.write(ctx, lines))
		if ctx.Err() != nil && a.verdict == later {
			return a, ctx.Err()
		}
		if a.verdict != later {
			if a.verdict != doubtful {
				d.i.up()
			}
			return a, nil
		}
		if d.once {
			return a, fmt.Errorf("%w: %s", ErrUnavailable, a.reason)
		}
		d.i.down(a.reason, a.hint)
		if err := sleep(ctx, d.i.pause(attempt, a.wait)); err != nil {
			return a, err
		}
		d.i.stats.count(func(s *Stats) { s.Retries++ })
	}
}

// settle counts a delivered batch and writes the dead letters, one for each message and reason.
func (i *Ingest) settle(d *delivery) {
	i.stats.count(func(s *Stats) {
		s.Written += uint64(d.accepted)
		s.Refused += uint64(len(d.refused))
	})
	for n := 0; n < len(d.refused); {
		first := d.refused[n]
		letter := letterFor(d.lane, first.p.from, StageStore, first.reason)
		if first.field != "" {
			letter.Metrics = []string{first.field}
		}
		for n < len(d.refused) && d.refused[n].sameLetter(first) {
			letter.Readings = append(letter.Readings, d.refused[n].p.index)
			n++
		}
		slices.Sort(letter.Readings)
		i.letters.add(letter)
	}
}

func (r refusal) sameLetter(s refusal) bool {
	return r.p.from == s.p.from && r.field == s.field && r.reason == s.reason
}

// pause gives the time before the next attempt: doubling from pauseMin to pauseMax, of which half is left to chance so that
// many hubs do not return at once; or what the server asked for, up to five minutes, and a tenth by chance.
func (i *Ingest) pause(attempt int, asked time.Duration) time.Duration {
	const mostAsked = 5 * time.Minute
	if asked > 0 {
		asked = min(asked, mostAsked)
		return asked + rand.N(asked/10+1)
	}
	d := i.limits.pauseMax
	if shift := min(attempt, 20); i.limits.pauseMin<<shift < d {
		d = i.limits.pauseMin << shift
	}
	return d/2 + rand.N(d/2+1)
}
