package journal

import "time"

// Health of the files; Err is nil when a file can be written. UsedRatio is 0 to 1 of the cap.
type Health struct {
	Life, Bulk FileHealth
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
	return Health{Life: j.life.health(), Bulk: j.bulk.health()}
}
