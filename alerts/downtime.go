package alerts

import "time"

// downtime is a stretch during which the hub could hear nobody, in Unix ns.
type downtime struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// downtimes are the latest such stretches, oldest first. The clock of silence does not run during them.
type downtimes []downtime

// keptDowntimes bounds them; a device silent for longer than that many restarts ago is silent whatever they say.
const keptDowntimes = 64

func (d downtimes) add(from, to int64) downtimes {
	if from <= 0 || to <= from || (len(d) > 0 && d[len(d)-1].To >= to) {
		return d
	}
	d = append(d, downtime{from, to})
	if over := len(d) - keptDowntimes; over > 0 {
		d = d[over:]
	}
	return d
}

// silence is how long a device last heard at from has been silent at to, without the hub's own absence.
func (d downtimes) silence(from, to int64) time.Duration {
	total := to - from
	for _, x := range d {
		if overlap := min(to, x.To) - max(from, x.From); overlap > 0 {
			total -= overlap
		}
	}
	return time.Duration(max(total, 0))
}
