package journal

import (
	"context"
	"time"
)

const (
	// keepEvery is how often the keeper looks for frames that may go; keepAtMost when a lane calls it.
	keepEvery  = 10 * time.Second
	keepAtMost = time.Second
	// recountPause leaves the disk to others while frames of an earlier run are counted.
	recountPause = 5 * time.Millisecond
)

// start begins the committers and the housekeeping.
func (j *Journal) start() {
	ctx, cancel := context.WithCancel(context.Background())
	j.cancel = cancel
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

// keep purges, holds the reserve and keeps the accounts: at its own pace, and when a lane nears its budget.
func (j *Journal) keep(ctx context.Context) {
	j.recount(ctx)
	round := time.NewTicker(keepEvery)
	look := time.NewTicker(keepAtMost)
	defer round.Stop()
	defer look.Stop()
	j.keepHouse(ctx)
	for {
		select {
		case <-look.C: // at most this often: bulk goes on soon after space returned, and a lane that calls does not keep us busy
			j.bulk.disk.look()
			j.life.reserve.refill()
			select {
			case <-j.kick:
				j.keepHouse(ctx)
			default:
			}
		case <-round.C:
			j.keepHouse(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (j *Journal) keepHouse(ctx context.Context) {
	j.Purge(ctx)
	j.saveAccounts(ctx)
	j.nameRefused()
}

// pause waits, false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// recount counts what the last run has left uncounted, a little at a time: after a clean stop nothing.
func (j *Journal) recount(ctx context.Context) {
	for _, l := range j.all() {
		for more := l.log != nil; more; {
			j.purging.Lock()
			var err error
			more, err = l.recount(ctx)
			j.purging.Unlock()
			if err != nil && ctx.Err() == nil {
				j.log.Warn("frames of an earlier run cannot be counted", "lane", string(l.name), "err", err)
				break
			}
			if more && !pause(ctx, recountPause) {
				return
			}
		}
	}
}

func (j *Journal) saveAccounts(ctx context.Context) {
	j.purging.Lock()
	defer j.purging.Unlock()
	for _, l := range j.all() {
		if l.log == nil {
			continue
		}
		if err := l.saveAccount(ctx); err != nil && ctx.Err() == nil {
			j.log.Warn("accounts not saved", "lane", string(l.name), "err", err)
		}
	}
}

// nameRefused says in the log who was refused for its share.
func (j *Journal) nameRefused() {
	for _, l := range j.all() {
		for id, n := range l.takeRefused() {
			j.log.Warn("a sender holds its share of the journal and is refused", "lane", string(l.name), "device", id, "messages", n)
		}
	}
}

// callKeeper asks for a purge now.
func (l *Lane) callKeeper() {
	select {
	case l.env.kick <- struct{}{}:
	default:
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
