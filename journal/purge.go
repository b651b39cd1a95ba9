package journal

import (
	"context"
	"time"
)

const (
	// purgeFrom is the share of a file's cap from which read frames go before their age; below the lanes' own limits.
	purgeFrom = 0.80
	// purgePart is the part (1/n) of what may go that goes at a time, until the file is below purgeFrom.
	purgePart = 16
)

// Purge removes frames that every cursor has passed and that are older than the retention, or, when a file is nearly at
// its cap, the oldest of those passed. It runs in the background by itself.
func (j *Journal) Purge(ctx context.Context) {
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
	first, last, err := l.purgeable(ctx)
	if err != nil || first > last {
		return err
	}
	upTo, err := l.olderThan(ctx, time.Now().Add(-retention).UnixNano(), first, last)
	if err != nil {
		return err
	}
	if l.file.usedRatio() >= purgeFrom {
		upTo = max(upTo, first+(last-first)/purgePart)
	}
	if upTo < first {
		return nil
	}
	return translate(l.log.Purge(ctx, upTo))
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
