package verify

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"watchhouse/telemetry"
)

// Finding is one broken promise.
type Finding struct {
	Device  string
	Channel telemetry.Channel
	What    string // the message as text, or what was counted
	Least   int
	Most    int
	Have    int
}

func (f Finding) String() string {
	return fmt.Sprintf("%s %s: %s: want %d to %d, have %d", f.Device, f.Channel, f.What, f.Least, f.Most, f.Have)
}

// Result of a comparison.
type Result struct {
	Acked, Kept int
	Redelivered int // kept once more than acknowledged, which QoS 1 permits
	Missing     []Finding
	Doubled     []Finding
	Foreign     []Finding
}

// OK reports whether every promise was kept.
func (r Result) OK() bool { return len(r.Missing)+len(r.Doubled)+len(r.Foreign) == 0 }

// named is how many findings of a sort are named.
const named = 20

// String sums up in one line, then names the first findings.
func (r Result) String() string {
	var out strings.Builder
	fmt.Fprintf(&out, "acked %d, stored %d, missing %d, doubled %d, foreign %d, redelivered %d\n",
		r.Acked, r.Kept, len(r.Missing), len(r.Doubled), len(r.Foreign), r.Redelivered)
	for _, group := range []struct {
		name     string
		findings []Finding
	}{{"missing", r.Missing}, {"doubled", r.Doubled}, {"foreign", r.Foreign}} {
		for _, f := range group.findings[:min(named, len(group.findings))] {
			fmt.Fprintf(&out, "%s: %s\n", group.name, f)
		}
	}
	return out.String()
}

// Stored is one publish as the journal kept it: wills, connects and the like are not to be given.
type Stored struct {
	Topic   string
	Payload []byte
}

// Journal compares the ledger with everything the journal kept. Messages of devices that mine refuses are left out, and those on topics of
// other systems on which nothing was sent: other clients have no account here.
func (l *Ledger) Journal(stored iter.Seq2[Stored, error], mine func(device string) bool) (Result, error) {
	foreign := l.foreign()
	kept := map[key]int{}
	text := map[key]string{}
	var r Result
	for entry, err := range stored {
		if err != nil {
			return r, fmt.Errorf("verify: journal: %w", err)
		}
		dev, channel := parseTopic(entry.Topic)
		if dev == "" && !foreign[entry.Topic] || dev != "" && !mine(dev) {
			continue
		}
		k := keyOf(dev, channel, entry.Payload)
		kept[k]++
		text[k] = string(entry.Payload)
		r.Kept++
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for k, entry := range l.lines {
		r.Acked += entry.Acked
		r.judge(Finding{k.device, k.channel, string(entry.Payload), entry.Acked, entry.Sent, kept[k]})
		delete(kept, k)
	}
	for k, n := range kept {
		r.Foreign = append(r.Foreign, Finding{k.device, k.channel, text[k], 0, 0, n})
	}
	r.sort()
	return r, nil
}

func (r *Result) judge(f Finding) {
	switch {
	case f.Have < f.Least:
		r.Missing = append(r.Missing, f)
	case f.Have > f.Most:
		r.Doubled = append(r.Doubled, f)
	default:
		r.Redelivered += f.Have - f.Least
	}
}

func (r *Result) sort() {
	for _, group := range [][]Finding{r.Missing, r.Doubled, r.Foreign} {
		slices.SortFunc(group, func(a, b Finding) int {
			return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.What, b.What))
		})
	}
}

// Counts compares bounds by device with counted numbers, for instance Readings with points in the database or Calls with transitions.
// Devices that have numbers but no bounds are foreign.
func Counts(what string, want map[string]Bounds, have map[string]int) Result {
	var r Result
	rest := maps.Clone(have)
	for dev, b := range want {
		r.Acked += b.Least
		r.Kept += have[dev]
		r.judge(Finding{Device: dev, What: what, Least: b.Least, Most: b.Most, Have: have[dev]})
		delete(rest, dev)
	}
	for dev, n := range rest {
		r.Kept += n
		r.Foreign = append(r.Foreign, Finding{Device: dev, What: what, Have: n})
	}
	r.sort()
	return r
}

// parseTopic gives device and channel of a wh/v1 topic; any other is a channel of a device of no name.
func parseTopic(topic string) (string, telemetry.Channel) {
	rest, ok := strings.CutPrefix(topic, "wh/v1/")
	if !ok {
		return "", telemetry.Channel(topic)
	}
	dev, channel, _ := strings.Cut(rest, "/")
	if child, ok := strings.CutPrefix(channel, "child/"); ok {
		dev, channel, _ = strings.Cut(child, "/")
	}
	return dev, telemetry.Channel(channel)
}
