package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"watchhouse/journal/engine"
)

// openBulkLanes opens what lives in bulk.db; a fault leaves it degraded.
func (j *Journal) openBulkLanes(ctx context.Context) error {
	names := []LaneName{TelemetryLane}
	for _, n := range streamNames() {
		names = append(names, streamLane(n))
	}
	for _, n := range names {
		if j.bulk.engine == nil {
			break
		}
		if err := j.openLane(ctx, n); err != nil {
			j.degrade(err)
		}
	}
	if j.bulk.engine == nil {
		for _, n := range names {
			j.lanes[n] = j.newLane(n, nil)
		}
	}
	for _, n := range streamNames() {
		j.side[n] = &Stream{lane: j.lanes[streamLane(n)]}
		delete(j.lanes, streamLane(n))
	}
	return nil
}

func (j *Journal) newLane(name LaneName, log engine.Log) *Lane {
	l := &Lane{
		name: name, file: j.bulk, log: log, budget: telemetryBudget, env: j.env, senders: senders{},
		done: make(chan struct{}), wake: make(chan struct{}, 1), nextID: 1, lastAt: time.Now(),
	}
	switch name {
	case EventLane:
		l.file, l.budget = j.life, eventBudget
	case StateLane:
		l.file, l.budget = j.life, stateBudget
	case streamLane("rejects"):
		l.budget = rejectsBudget
	case streamLane("deadletter"):
		l.budget = lettersBudget
	}
	l.filling = l.file.batches.get()
	return l
}

func (j *Journal) openLane(ctx context.Context, name LaneName) error {
	l := j.newLane(name, nil)
	p := engine.Normal
	if name == EventLane {
		p = engine.Urgent
	}
	log, err := l.file.engine.Log(ctx, laneLogPrefix+string(name), p)
	if err != nil {
		return translate(err)
	}
	l.log = log
	if err := l.refresh(ctx); err != nil {
		return err
	}
	if err := l.loadCursors(ctx); err != nil {
		return err
	}
	if !j.env.readOnly {
		if err := l.loadAccount(ctx); err != nil {
			return err
		}
	}
	j.lanes[name] = l
	return nil
}

// refresh learns the head from the log: when the lane is opened, and each time when read-only.
func (l *Lane) refresh(ctx context.Context) error {
	_, last, err := l.log.Bounds(ctx)
	if err != nil {
		return translate(err)
	}
	l.mu.Lock()
	known := l.head.Frame
	l.mu.Unlock()
	if last == known {
		return nil
	}
	end, count, err := l.endOf(ctx, last)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.nextID, l.head = end, Position{Frame: last, Index: count}
	return nil
}

// endOf reads what number follows frame seq. A damaged frame is believed only when it fits the one before it; then its
// entries are a gap for the readers, while the numbers run on.
func (l *Lane) endOf(ctx context.Context, seq uint64) (end uint64, count uint32, err error) {
	recs, err := l.log.Read(ctx, seq, 1, 1)
	if err != nil || len(recs) == 0 {
		return 0, 0, fmt.Errorf("last frame of lane %s: %w", l.name, errors.Join(translate(err), ErrDamaged))
	}
	f, err := l.open(recs[0])
	if err == nil {
		return f.end(), f.Count, nil
	}
	h, herr := parseHeader(recs[0].Body, laneMagic())
	if herr == nil && h.First > 0 && h.First == l.endBefore(ctx, seq) && h.Count > 0 && h.Count <= uint32(l.env.maxFrame) {
		l.file.log.Error("last frame is damaged", "lane", string(l.name), "err", err)
		return h.end(), h.Count, nil
	}
	if l.env.readOnly {
		return l.endBefore(ctx, seq), 0, nil // tools must still be able to show the rest
	}
	return 0, 0, fmt.Errorf("%w: last frame of lane %s: %w", ErrDamaged, l.name, err)
}
