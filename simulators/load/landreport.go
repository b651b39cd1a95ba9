package load

import (
	"fmt"
	"slices"
	"strings"

	"watchhouse/simulators/report"
)

const landingNote = "a closed loop; a message has landed when InfluxDB has answered 204 for it, or when the consumer has read it; " +
	"landed a second is counted from the first PUBLISH to the last landing; CPU is user and system time of each process"

// Section of two pipelines: medians, ratios and every round.
func (r LandingsResult) Section() report.Section {
	s := report.Section{Note: landingNote}
	if len(r.A) == 0 || len(r.B) == 0 {
		return s
	}
	a, b := medianLanding(r.A), medianLanding(r.B)
	c := a.Config
	s.Name = fmt.Sprintf("whole pipeline, %s beside %s: %d clients, window %d, %d bytes, QoS 1", a.Target, b.Target, c.Clients, c.Window, c.Payload)
	s.Facts = []report.Fact{
		{Name: a.Target + ", median of rounds", Value: a.brief()},
		{Name: b.Target + ", median of rounds", Value: b.brief()},
		{Name: "ratio of landed a second", Value: fmt.Sprintf("%.2f", a.PerSecond()/max(b.PerSecond(), 1e-9))},
		{Name: "ratio of the brokers' CPU for a message", Value: fmt.Sprintf("%.2f", a.PerMessage(a.Used[0])/max(b.PerMessage(b.Used[0]), 1e-9))},
	}
	for _, side := range [][]LandingResult{r.A, r.B} {
		for n, round := range side {
			s.Facts = append(s.Facts, report.Fact{Name: fmt.Sprintf("%s, round %d", round.Target, n+1), Value: round.brief()})
			s.Series = append(s.Series, report.FromCounts(fmt.Sprintf("%s, round %d", round.Target, n+1), "acks/s", round.Series))
		}
	}
	return s
}

// medianLanding is the round with the median rate, the slower of two.
func medianLanding(rounds []LandingResult) LandingResult {
	sorted := slices.SortedFunc(slices.Values(rounds), func(a, b LandingResult) int {
		return int(a.PerSecond() - b.PerSecond())
	})
	return sorted[(len(sorted)-1)/2]
}

// brief tells a round in a line.
func (r LandingResult) brief() string {
	var used []string
	for i, p := range r.Processes {
		used = append(used, fmt.Sprintf("%s %.1f", p.Name, r.PerMessage(r.Used[i])))
	}
	used = append(used, fmt.Sprintf("generator %.1f", r.PerMessage(r.Own)))
	text := fmt.Sprintf("%.0f landed/s (%d in %.1f s, %.0f/s while publishing, acknowledged %.0f/s); CPU in µs a message: %s",
		r.PerSecond(), r.Landed, r.Took.Seconds(), r.Meanwhile(), r.ThroughputResult.PerSecond, strings.Join(used, ", "))
	if r.Unacked > 0 || r.Broken > 0 {
		text += fmt.Sprintf(" (%d without ack, %d broken)", r.Unacked, r.Broken)
	}
	return text
}
