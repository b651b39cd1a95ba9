package journal

import (
	"context"
	"time"
)

const (
	// purgeFrom is the part of a lane's budget, and of a file's cap, from which read frames go before their age.
	purgeFrom = 0.80
	// purgePart is the part (1/n) of what may go that goes at a time, purgeTimes how often in a row, until there is room.
	purgePart  = 16
	purgeTimes = 16
	// purgeRecords bounds what is read and removed at once.
	purgeRecords = 64
)

// Purge removes frames that every cursor has passed and that are older than the retention, or, when a lane nears its budget or
// a file its cap, the oldest of those passed. It runs in the background by itself.
func (j *Journal) Purge(ctx context.Context) {
	j.purging.Lock()
	defer j.purging.Unlock()
	for _, f := range []*file{j.life, j.bulk} {
		if f.engine == nil {
			continue
		}
		for _, l := range j.lanesOf(f) {
			if err := l.purge(ctx, j.cfg.Retention); err != nil && ctx.Err() == nil {
				j.log.Warn("purge failed", "lane", string(l.name), "err", err)
			}
		}
	}
}

func (l *Lane) purge(ctx context.Context, retention time.Duration) error {
	for range purgeTimes {
		first, last, err := l.purgeable(ctx)
		if err != nil || first > last {
			return err
		}
		upTo, err := l.olderThan(ctx, time.Now().Add(-retention).UnixNano(), first, last)
		if err != nil {
			return err
		}
		pressed := l.pressed()
		if pressed {
			upTo = max(upTo, first+(last-first)/purgePart)
		}
		if err := l.remove(ctx, first, upTo); err != nil || !pressed {
			return err
		}
	}
	return nil
}

// remove purges a range of frames and takes them off the accounts.
func (l *Lane) remove(ctx context.Context, first, upTo uint64) error {
	for first <= upTo {
		recs, err := l.log.Read(ctx, first, purgeRecords, readBytes)
		if err != nil {
			return translate(err)
		}
		n, counted := 0, 0
		for n < len(recs) && recs[n].Seq <= upTo {
			if n++; recs[n-1].Seq <= l.counted || recs[n-1].Seq > l.found {
				counted = n
			}
		}
		end := upTo // of a hole, all of it
		if n > 0 {
			end = recs[n-1].Seq
		}
		if err := l.log.Purge(ctx, end); err != nil {
			return translate(err)
		}
		l.count(recs[:counted], -1)
		if end <= l.found {
			l.counted = max(l.counted, end)
		}
		first = end + 1
	}
	return nil
}

// purgeable is the range of frames that nobody needs: below every cursor, and not the last, which keeps the numbering.
// The frame a cursor stands in stays, so that its reader can check that the numbers run on.
func (l *Lane) purgeable(ctx context.Context) (first, last uint64, err error) {
	first, last, err = l.log.Bounds(ctx)
	if err != nil || last == 0 {
		return 1, 0, translate(err)
	}
	last--
	if p, ok := l.cursors.least(); ok {
		if p.Frame == 0 {
			return 1, 0, nil
		}
		last = min(last, p.Frame-1)
	}
	return first, last, nil
}

// olderThan gives the greatest frame in the range sealed before a time, first-1 when there is none. The times grow with the
// numbers but for steps of the clock, which do no harm here.
func (l *Lane) olderThan(ctx context.Context, ns int64, first, last uint64) (uint64, error) {
	lo, hi := first, last+1 // the answer is lo-1
	for lo < hi {
		mid := lo + (hi-lo)/2
		rec, h, err := readableFrom(ctx, l.log, laneMagic(), mid, hi)
		if err != nil {
			return 0, err
		}
		if rec == nil || h.TimeNS >= ns {
			hi = mid
			continue
		}
		lo = rec.Seq + 1
	}
	return lo - 1, nil
}
