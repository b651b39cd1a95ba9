package journal

import "time"

// Health of the files; Err is nil when a file can be written. UsedRatio is 0 to 1 of the cap.
type Health struct {
	Life, Bulk FileHealth
	Full       []LaneUse // lanes that have used nearly all of their budget, or more
	Reserve    ReserveHealth
}

// LaneUse is how much of its budget a lane takes (0 to 1 and beyond), and who takes most of that.
type LaneUse struct {
	Lane    LaneName
	Life    bool // it is in life.db
	Ratio   float64
	Senders []SenderUse
}

// ReserveHealth is how much of the space kept for life.db on a full disk there is.
type ReserveHealth struct {
	Wanted, Held int64
	BulkStopped  bool // bulk.db waits for space
}

// FileHealth of one file. The percentiles are of the last 512 commits.
type FileHealth struct {
	Err       error
	Bytes     int64
	UsedRatio float64
	FsyncP50  time.Duration // of recent commits
	FsyncP99  time.Duration
	Commits   uint64
}

// Health tells the state of both files, from memory.
func (j *Journal) Health() Health {
	h := Health{Life: j.life.health(), Bulk: j.bulk.health()}
	h.Reserve = ReserveHealth{
		Wanted: j.cfg.ReserveBytes, Held: j.cfg.ReserveBytes - j.life.reserve.missing(), BulkStopped: j.bulk.disk.stopped.Load(),
	}
	for _, l := range j.all() {
		if u := l.usage(); u.Ratio >= nearlyFull {
			h.Full = append(h.Full, u)
		}
	}
	return h
}

// usage tells who takes the lane's space once that is nearly used up.
func (l *Lane) usage() LaneUse {
	u := LaneUse{Lane: l.name, Life: l.file.reserve != nil}
	if l.log == nil || l.file.maxBytes == 0 {
		return u
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := l.limit(Publish)
	if u.Ratio = float64(l.stored) / float64(max(limit, 1)); u.Ratio >= nearlyFull {
		u.Senders = l.biggest(limit)
	}
	return u
}
