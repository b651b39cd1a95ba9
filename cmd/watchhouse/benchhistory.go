package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"watchhouse/ingest/influxdb"
	"watchhouse/simulators/load"
	"watchhouse/simulators/report"
	"watchhouse/telemetry"
)

// historyKind are devices that report alike.
type historyKind struct {
	prefix  string
	kind    telemetry.Kind
	count   int
	every   time.Duration
	metrics []string
}

// historyKinds are the 346 devices of the subdistrict. Of the houses, which report every 30 seconds, only some have a whole year.
func historyKinds() []historyKind {
	return []historyKind{
		{"sp", telemetry.SortingPoint, 91, time.Hour, []string{"fill_wet_pct", "fill_dry_pct", "fill_recyclable_pct", "fill_hazardous_pct", "weight_wet_kg", "temp_c"}},
		{"rp", telemetry.RecyclablesPoint, 23, time.Hour, []string{"fill_recyclable_pct", "temp_c", "battery_pct"}},
		{"mains", telemetry.EmergencyButton, 40, 5 * time.Minute, []string{"battery_pct", "rssi_dbm"}},
		{"battery", telemetry.EmergencyButton, 150, 4 * time.Hour, []string{"battery_pct", "rssi_dbm"}},
		{"house", telemetry.SafetyHouse, 42, 30 * time.Second, []string{"rssi_dbm", "temp_c"}},
	}
}

func (k historyKind) device(n int) string { return fmt.Sprintf("history-%s-%03d", k.prefix, n) }

func historyAccounts() []load.Account {
	var out []load.Account
	for _, k := range historyKinds() {
		for n := range k.count {
			out = append(out, load.Account{ID: k.device(n), Kind: k.kind, Secret: "none-connects-with-this-one"})
		}
	}
	return out
}

// historyCharts is how often each chart is opened.
const historyCharts = 40

// span is the time that the history covers.
func (c *benchCmd) span() time.Duration { return time.Duration(c.Days) * 24 * time.Hour }

// history fills the database, with a year by default, and opens charts of it over REST, as the page does.
func (c *benchCmd) history(ctx context.Context, hub *benchHub, progress load.Progress) ([]report.Section, error) {
	now := time.Now().Truncate(time.Hour)
	began := time.Now()
	points, err := c.fill(ctx, hub, now, progress)
	if err != nil {
		return nil, err
	}
	section := report.Section{
		Name: "charts over REST, from a warm server",
		Note: "each chart is one GET of one metric: hourly windows of all days, and windows of a second of the last hour",
		Facts: []report.Fact{
			{Name: "in the database", Value: fmt.Sprintf("%d points of %d days of 346 devices, %d of the 42 houses among them; written in %.0f s", points, c.Days, c.Houses, time.Since(began).Seconds())},
		},
	}
	if err := hub.calm(ctx, progress); err != nil {
		return nil, err
	}
	client := &hubClient{base: "http://" + hub.HTTP + "/api/v1", token: hub.token, http: http.DefaultClient}
	for _, k := range historyKinds() {
		if k.count = c.filled(k); k.count == 0 {
			continue
		}
		for _, chart := range []struct {
			name        string
			span, every time.Duration
		}{{fmt.Sprintf("%d days, hourly", c.Days), c.span(), time.Hour}, {"hour, raw", time.Hour, time.Second}} {
			latency, windows, err := openCharts(ctx, client, k, now, chart.span, chart.every)
			if err != nil {
				return nil, err
			}
			name := fmt.Sprintf("%s, one reading each %v: %s", k.kind, k.every, chart.name)
			section.Latencies = append(section.Latencies, report.FromHistogram(name, latency))
			section.Facts = append(section.Facts, report.Fact{Name: name, Value: fmt.Sprintf(
				"p50 %.1f ms, p95 %.1f ms, %d windows", float64(latency.ValueAtQuantile(50))/1e3, float64(latency.ValueAtQuantile(95))/1e3, windows)})
		}
	}
	return []report.Section{section}, nil
}

// filled is how many devices of a kind have their year.
func (c *benchCmd) filled(k historyKind) int {
	if k.kind == telemetry.SafetyHouse {
		return min(c.Houses, k.count)
	}
	return k.count
}

// openCharts opens a chart of one device after the other, once to warm up and then measured.
func openCharts(ctx context.Context, hub *hubClient, k historyKind, now time.Time, span, every time.Duration) (*hdrhistogram.Histogram, int, error) {
	took := hdrhistogram.New(1, 60_000_000, 3)
	windows := 0
	for n := range 1 + historyCharts {
		var series struct{ Points []struct{ N int } }
		query := url.Values{
			"metric": {k.metrics[n%len(k.metrics)]}, "from": {unixMS(now.Add(-span))}, "to": {unixMS(now)},
			"every": {strconv.FormatInt(every.Milliseconds(), 10)},
		}
		began := time.Now()
		err := hub.call(ctx, http.MethodGet, "/devices/"+k.device(n%k.count)+"/series?"+query.Encode(), &series)
		if err != nil {
			return nil, 0, err
		}
		if n > 0 {
			_ = took.RecordValue(time.Since(began).Microseconds()) // beyond a minute the query has failed
		}
		windows = len(series.Points)
	}
	return took, windows, nil
}

func unixMS(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// calm waits until the database has nothing to tidy up.
func (h *benchHub) calm(ctx context.Context, progress load.Progress) error {
	const quiet, most = 3, 120
	still := 0
	for n := 0; n < most && still < quiet; n++ {
		before := load.ProcessCPU(h.database.PID())
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
		if still++; load.ProcessCPU(h.database.PID())-before > 100*time.Millisecond {
			still = 0
		}
		if n%10 == 0 {
			progress("the database tidies up", n, most)
		}
	}
	return nil
}

// fill writes the history day by day, as it would have come, and gives the number of points.
func (c *benchCmd) fill(ctx context.Context, hub *benchHub, now time.Time, progress load.Progress) (int, error) {
	w := &lineWriter{url: hub.database.URL() + "/api/v2/write?precision=ms&bucket=" + url.QueryEscape(influxdb.Bucket)}
	for day := range c.Days {
		from := now.Add(-c.span()).Add(time.Duration(day) * 24 * time.Hour)
		for _, k := range historyKinds() {
			for n := range c.filled(k) {
				if err := w.day(ctx, k, n, from); err != nil {
					return 0, err
				}
			}
		}
		if day%30 == 0 {
			progress("filling the history", day, c.Days)
		}
	}
	return w.points, w.flush(ctx)
}

// lineWriter writes line protocol in large requests.
type lineWriter struct {
	url    string
	lines  bytes.Buffer
	points int
}

// day adds the readings of one device. Values wander, so that they compress as measured ones do.
func (w *lineWriter) day(ctx context.Context, k historyKind, n int, from time.Time) error {
	for at := from; at.Before(from.Add(24 * time.Hour)); at = at.Add(k.every) {
		fmt.Fprintf(&w.lines, "telemetry,area=jw%02d,device=%s,kind=%s ", n%36, k.device(n), k.kind)
		for m, name := range k.metrics {
			if m > 0 {
				w.lines.WriteByte(',')
			}
			fmt.Fprintf(&w.lines, "%s=%d.%d", name, 20+(w.points*7+m)%60, w.points%10)
		}
		fmt.Fprintf(&w.lines, " %d\n", at.UnixMilli())
		w.points++
		if w.lines.Len() < 2<<20 {
			continue
		}
		if err := w.flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (w *lineWriter) flush(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(w.lines.Bytes()))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 200)) // what there is of a reason
		return fmt.Errorf("fill the database: %s: %s", response.Status, strings.TrimSpace(string(text)))
	}
	w.lines.Reset()
	return nil
}
