package load

import (
	"fmt"
	"strconv"
	"time"

	"watchhouse/simulators/report"
)

const onePressNote = "one press at a time; the frame's time is taken when the console has read it from the socket"

const closedLoopNote = "a closed loop: latency is that of a full window, read in batches; it is no measure of a lone message"

// Section of a throughput run.
func (r ThroughputResult) Section() report.Section {
	c := r.Config
	s := report.Section{
		Name: r.Target + ": " + c.describe(),
		Note: closedLoopNote,
		Facts: []report.Fact{
			{Name: "acknowledged a second", Value: fmt.Sprintf("%.0f", r.PerSecond)},
			{Name: "acknowledged", Value: strconv.FormatInt(r.Acked, 10)},
			{Name: "without ack, broken connections", Value: fmt.Sprintf("%d, %d", r.Unacked, r.Broken)},
		},
		Latencies: []report.Latency{report.FromHistogram("PUBLISH to PUBACK", r.Latency)},
		Series:    []report.Series{report.FromCounts(r.Target, "acks/s", r.Series)},
	}
	if r.CPU > 0 {
		s.Facts = append(s.Facts, report.Fact{Name: "CPU of broker, generator", Value: r.cores()})
	}
	return s
}

// describe tells the load in a few words.
func (c Throughput) describe() string {
	text := fmt.Sprintf("%d clients, window %d, %d bytes, QoS 1", c.Clients, c.Window, c.Payload)
	if c.Random {
		text += ", random digits"
	}
	if c.Batch == 1 {
		text += ", one message a write"
	}
	return text
}

// Section of a comparison: the medians, every round, and the curves of both sides.
func (r CompareResult) Section() report.Section {
	s := report.Section{Note: closedLoopNote}
	if len(r.A) == 0 || len(r.B) == 0 {
		return s
	}
	a, b, c := r.A[0].Target, r.B[0].Target, r.A[0].Config
	s.Name = a + " beside " + b + ": " + c.describe()
	s.Facts = []report.Fact{
		{Name: a + ", median of rounds", Value: fmt.Sprintf("%.0f/s", r.MedianA)},
		{Name: b + ", median of rounds", Value: fmt.Sprintf("%.0f/s", r.MedianB)},
		{Name: "ratio", Value: fmt.Sprintf("%.2f", r.Ratio)},
	}
	for i := range min(len(r.A), len(r.B)) {
		s.Facts = append(s.Facts, report.Fact{Name: fmt.Sprintf("round %d", i+1), Value: fmt.Sprintf("%s; %s", r.A[i].brief(), r.B[i].brief())})
		s.Latencies = append(s.Latencies,
			report.FromHistogram(fmt.Sprintf("%s, round %d", a, i+1), r.A[i].Latency),
			report.FromHistogram(fmt.Sprintf("%s, round %d", b, i+1), r.B[i].Latency))
		s.Series = append(s.Series,
			report.FromCounts(fmt.Sprintf("%s, round %d", a, i+1), "acks/s", r.A[i].Series),
			report.FromCounts(fmt.Sprintf("%s, round %d", b, i+1), "acks/s", r.B[i].Series))
	}
	return s
}

// cores tells the CPU use of both sides in the measured time.
func (r ThroughputResult) cores() string {
	seconds := r.Config.Duration.Seconds()
	return fmt.Sprintf("%.2f and %.2f cores", r.CPU.Seconds()/seconds, r.Generator.Seconds()/seconds)
}

// brief tells a run in a few words, with what went wrong.
func (r ThroughputResult) brief() string {
	text := fmt.Sprintf("%s %.0f/s", r.Target, r.PerSecond)
	if r.CPU > 0 {
		text += ", CPU of broker and generator " + r.cores()
	}
	if r.Unacked > 0 || r.Broken > 0 {
		text += fmt.Sprintf(" (%d without ack, %d broken)", r.Unacked, r.Broken)
	}
	return text
}

// Section of a steady rate.
func (r RateResult) Section(name string) report.Section {
	return report.Section{
		Name:      name,
		Facts:     []report.Fact{{Name: "telemetry", Value: r.brief()}},
		Latencies: []report.Latency{report.FromHistogram("due to PUBACK", r.Latency)},
	}
}

func (r PressResult) brief() string {
	return fmt.Sprintf("%d presses, %d without ack, %d without frame", r.Presses, r.LostAcks, r.LostFrames)
}

func (r RateResult) brief() string {
	return fmt.Sprintf("%d sent, %d acknowledged in %v (%.0f/s), %d broken connections",
		r.Sent, r.Acked, r.Elapsed.Round(time.Millisecond), float64(r.Acked)/max(r.Elapsed.Seconds(), 1e-9), r.Broken)
}

// Section of a reconnect storm.
func (r StormResult) Section() report.Section {
	return report.Section{
		Name: fmt.Sprintf("reconnect storm of %d devices", r.Clients), Facts: r.facts(),
		Latencies: []report.Latency{report.FromHistogram("dial to status acknowledged", r.Latency)},
	}
}

func (r StormResult) facts() []report.Fact {
	return []report.Fact{
		{Name: "all back after", Value: r.Back.Round(time.Millisecond).String()},
		{Name: "first connect of all", Value: r.Before.Round(time.Millisecond).String()},
		{Name: "repeated attempts, lost devices", Value: fmt.Sprintf("%d, %d", r.Retries, r.Lost)},
	}
}

// Section of idle connections.
func (r IdleResult) Section() report.Section {
	return report.Section{
		Name: fmt.Sprintf("%d idle connections", r.Clients),
		Facts: []report.Fact{
			{Name: "resident memory each", Value: fmt.Sprintf("%.1f KB", float64(r.PerConnection)/1000)},
			{Name: "each, had the process held nothing before", Value: fmt.Sprintf("%.1f KB", float64(r.After)/float64(max(1, r.Clients))/1000)},
			{Name: "resident memory before, after", Value: fmt.Sprintf("%.1f MB, %.1f MB", float64(r.Before)/1e6, float64(r.After)/1e6)},
			{Name: "connected in", Value: r.Connect.Round(time.Millisecond).String()},
			{Name: "alive at the end", Value: strconv.Itoa(r.Alive)},
		},
	}
}

// Section of the presses: ack and frame of each part beside each other.
func (r SpineResult) Section() report.Section {
	s := report.Section{
		Name: "from the press to the screen",
		Note: onePressNote,
	}
	parts := []struct {
		name string
		r    PressResult
	}{{"quiet", r.Quiet}, {"under telemetry", r.Loaded}, {"during the storm", r.Stormed}}
	for _, p := range parts {
		if p.r.Ack == nil {
			continue
		}
		s.Facts = append(s.Facts, report.Fact{Name: p.name, Value: p.r.brief()})
		s.Latencies = append(s.Latencies,
			report.FromHistogram("PUBLISH to PUBACK, "+p.name, p.r.Ack), report.FromHistogram("PUBLISH to frame, "+p.name, p.r.Frame))
	}
	if r.Storm.Clients > 0 {
		s.Facts = append(s.Facts, report.Fact{Name: "telemetry", Value: r.Load.brief()}, report.Fact{Name: "telemetry in the storm", Value: r.StormLoad.brief()})
		s.Facts = append(s.Facts, r.Storm.facts()...)
	}
	return s
}
