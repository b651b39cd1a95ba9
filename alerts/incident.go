package alerts

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/oklog/ulid/v2"
)

// incidentID is unique in one ledger and sorts by time; it depends on its inputs only, so that a decision stays pure.
func incidentID(epoch string, nowMS int64, n uint64) string {
	h := sha256.New()
	h.Write([]byte(epoch))
	h.Write(binary.BigEndian.AppendUint64(nil, n))
	var id ulid.ULID
	// SetTime refuses times after the year 10889 only; such a clock gets a zero time, the entropy still makes it unique.
	_ = id.SetTime(uint64(max(nowMS, 0)))
	copy(id[6:], h.Sum(nil))
	return id.String()
}

// clone copies the incident with its slices, so that the copy may be changed.
func (i *Incident) clone() *Incident {
	c := *i
	c.Deadlines = copyOf(i.Deadlines)
	c.Assignments = copyOf(i.Assignments)
	c.Badges = copyOf(i.Badges)
	c.Causes = copyOf(i.Causes)
	return &c
}

// copyOf never gives nil: the wire promises arrays.
func copyOf[T any](s []T) []T { return append(make([]T, 0, len(s)+1), s...) }

func (i *Incident) badge(names ...string) {
	for _, b := range names {
		if b != "" && !i.HasBadge(b) {
			i.Badges = append(i.Badges, b)
		}
	}
}

func (i *Incident) cause(id string) {
	if id == "" {
		return
	}
	i.Causes = append(i.Causes, id)
	if over := len(i.Causes) - maxCauses; over > 0 {
		i.Causes = slices.Delete(i.Causes, 0, over)
	}
}

// arm sets a clock, replacing one of the same name, and keeps the list in order of due time.
func (i *Incident) arm(name string, dueMS int64) {
	i.disarm(name)
	at, _ := slices.BinarySearchFunc(i.Deadlines, dueMS, func(d Deadline, due int64) int {
		if d.DueAt <= due {
			return -1
		}
		return 1
	})
	i.Deadlines = slices.Insert(i.Deadlines, at, Deadline{Name: name, DueAt: dueMS})
}

func (i *Incident) disarm(name string) {
	i.Deadlines = slices.DeleteFunc(i.Deadlines, func(d Deadline) bool { return d.Name == name })
}

func (i *Incident) deadline(name string) (int64, bool) {
	for _, d := range i.Deadlines {
		if d.Name == name {
			return d.DueAt, true
		}
	}
	return 0, false
}
