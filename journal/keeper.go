package journal

import (
	"context"
	"time"
)

// purgeEvery is how often the keeper looks for frames that may go.
const purgeEvery = 10 * time.Second

// start begins the committers and the housekeeping.
func (j *Journal) start() {
	ctx, cancel := context.WithCancel(context.Background())
	j.cancel = cancel
	j.life.reserve = &reserve{dir: j.cfg.Dir, size: j.cfg.ReserveBytes, log: j.log}
	j.life.reserve.refill()
	for _, l := range j.all() {
		if l.log == nil {
			close(l.done)
			continue
		}
		go l.run(ctx)
	}
	keep, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.keepers.Go(func() { j.keep(keep) })
	if j.cfg.TickInterval > 0 {
		j.keepers.Go(func() { j.tick(keep) })
	}
}

// startReadOnly marks the committers, of which there are none, as ended.
func (j *Journal) startReadOnly() {
	for _, l := range j.all() {
		close(l.done)
	}
}

// keep purges and holds the reserve.
func (j *Journal) keep(ctx context.Context) {
	t := time.NewTicker(purgeEvery)
	defer t.Stop()
	for {
		j.Purge(ctx)
		j.life.reserve.refill()
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
	}
}

// tick writes an idle lane's watermark.
func (j *Journal) tick(ctx context.Context) {
	t := time.NewTicker(j.cfg.TickInterval)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-ctx.Done():
			return
		}
		for _, n := range []LaneName{EventLane, StateLane, TelemetryLane} {
			l := j.lanes[n]
			if l.log != nil && l.isIdle(j.cfg.TickInterval) {
				// A lane that refuses it is full, failing or closed, which its watermark standing still shows.
				_ = l.Submit(Message{Kind: Tick, ReceivedNS: time.Now().UnixNano()}, nil)
			}
		}
	}
}

// isIdle says that nothing waits and the last commit is nearly an interval ago.
func (l *Lane) isIdle(interval time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.messages == 0 && time.Since(l.lastAt) >= interval*9/10
}
