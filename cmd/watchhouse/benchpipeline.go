package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"watchhouse/ingest/influxdb"
	"watchhouse/simulators/load"
	"watchhouse/simulators/report"
	"watchhouse/telemetry"
)

// Metrics of the hub that the pipeline is judged by.
const (
	metricWritten    = "watchhouse_ingest_written_total"
	metricIngestLag  = "watchhouse_ingest_lag_seconds"
	metricIngestLeft = "watchhouse_ingest_lag_messages"
	metricAlertsLag  = "watchhouse_alerts_lag_seconds"
)

// pipeline measures the way of a message from the socket to InfluxDB's 204, beside a broker with a plain consumer, and then how far
// alerts and ingest fall behind at a steady rate.
func (c *benchCmd) pipeline(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	landings, err := c.landings(ctx, hub, progress)
	if err != nil {
		return nil, err
	}
	steady, err := c.steady(ctx, hub, progress)
	return []report.Section{landings, steady}, err
}

func (c *benchCmd) landings(ctx context.Context, hub *benchHub, progress load.Progress) (report.Section, error) {
	other, err := load.StartMosquitto(ctx, c.Mosquitto)
	if err != nil {
		return report.Section{}, err
	}
	defer other.Stop()
	consumer, err := load.Consume(ctx, other.Target(), "wh/v1/+/telemetry")
	if err != nil {
		return report.Section{}, err
	}
	defer consumer.Close()
	run := load.Compare{Throughput: load.DefaultThroughput(), Rounds: c.Rounds}
	run.Duration = c.Duration
	mosquitto := load.Pipeline{
		Target: other.Target(), Landed: consumer.Landed, Processes: []load.Process{{Name: "mosquitto", PID: other.Target().PID}},
	}
	result, err := run.Landings(ctx, hub.pipeline(), mosquitto, progress)
	if err != nil {
		return report.Section{}, err
	}
	section := result.Section()
	stored, err := hub.writtenAtRest(ctx)
	if err != nil {
		return section, err
	}
	counted, err := hub.countPoints(ctx)
	section.Facts = append(section.Facts, report.Fact{Name: "landed in all rounds, and points by InfluxDB's own count", Value: fmt.Sprintf("%d, %d", stored, counted)})
	return section, err
}

// writtenAtRest is how many points the hub has written in all when it writes no more: what was stored and whose acknowledgement came
// too late for the generator lands after the last round, too.
func (h *benchHub) writtenAtRest(ctx context.Context) (int64, error) {
	for last := int64(-1); ; {
		m, err := h.metrics(ctx)
		now := int64(m[metricWritten])
		if err != nil || now == last {
			return now, err
		}
		last = now
		select {
		case <-ctx.Done():
			return now, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

// countPoints asks the database itself.
func (h *benchHub) countPoints(ctx context.Context) (int64, error) {
	form := url.Values{"db": {influxdb.Database}, "q": {"SELECT count(temp_c) FROM telemetry"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, h.database.URL()+"/query?"+form.Encode(), nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var answer struct {
		Results []struct{ Series []struct{ Values [][]any } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("count the points: %w", err)
	}
	for _, result := range answer.Results {
		for _, series := range result.Series {
			if n, ok := series.Values[0][1].(float64); ok {
				return int64(n), nil
			}
		}
	}
	return 0, errors.New("count the points: no answer")
}

// pipeline is the hub with its database behind it.
func (h *benchHub) pipeline() load.Pipeline {
	target := h.target(telemetry.SafetyHouse)
	return load.Pipeline{
		Target: target,
		Landed: func(ctx context.Context) (int64, error) {
			m, err := h.metrics(ctx)
			return int64(m[metricWritten]), err
		},
		Processes: []load.Process{{Name: "hub", PID: target.PID}, {Name: "influxd", PID: h.database.PID()}},
	}
}

// steady publishes at a rate and watches the lags and the memory.
func (c *benchCmd) steady(ctx context.Context, hub *benchHub, progress load.Progress) (report.Section, error) {
	rate := load.DefaultRate()
	rate.PerSecond, rate.Duration = c.Rate, c.Steady
	gauges := load.Gauges{
		Names: []string{"alerts behind", "ingest behind", "messages not in InfluxDB", "memory of the hub", "memory of influxd"},
		Units: []string{"s", "s", "messages", "MB", "MB"},
		Read:  hub.gauges,
	}
	result, series, err := rate.Watched(ctx, hub.target(telemetry.SafetyHouse), gauges, progress)
	if err != nil {
		return report.Section{}, err
	}
	section := result.Section(fmt.Sprintf("steady rate of %d messages a second for %v", rate.PerSecond, rate.Duration))
	section.Series = series
	for _, s := range series {
		if len(s.Values) == 0 {
			return section, errors.New("the steady rate was too short to read a value")
		}
		section.Facts = append(section.Facts, report.Fact{Name: s.Name, Value: course(s)})
	}
	return section, nil
}

// gauges reads the lags and the memory once.
func (h *benchHub) gauges(ctx context.Context) ([]float64, error) {
	m, err := h.metrics(ctx)
	if err != nil {
		return nil, err
	}
	mb := func(pid int) float64 { return float64(load.ProcessRSS(pid)) / 1e6 }
	return []float64{m[metricAlertsLag], m[metricIngestLag], m[metricIngestLeft], mb(h.cmd.Process.Pid), mb(h.database.PID())}, nil
}

// course sums up a value over time.
func course(s report.Series) string {
	third := max(1, len(s.Values)/3)
	mean := func(v []float64) float64 {
		sum := 0.0
		for _, x := range v {
			sum += x
		}
		return sum / float64(len(v))
	}
	return fmt.Sprintf("at most %.2f %s, mean of the first third %.2f, of the last third %.2f",
		slices.Max(s.Values), s.Unit, mean(s.Values[:third]), mean(s.Values[len(s.Values)-third:]))
}
