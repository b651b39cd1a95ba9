package ingest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"watchhouse/telemetry"
)

// Errors of the history.
var (
	// ErrUnavailable: no database is configured or it does not answer.
	ErrUnavailable = errors.New("ingest: history unavailable")
	// ErrNotConfigured is an ErrUnavailable that no waiting mends.
	ErrNotConfigured = fmt.Errorf("%w: no database is configured", ErrUnavailable)
	// ErrInvalid: the question is at fault.
	ErrInvalid = errors.New("ingest: invalid query")
)

// Query of one metric of one device; Every 0 chooses so that at most about 1,000 windows come back.
type Query struct {
	Device, Metric string
	From, To       time.Time
	Every          time.Duration
}

// Point is one window: Mean is NaN-free; a window without data is a gap (absent).
type Point struct {
	TS   int64   `json:"ts"` // Unix ms, window start, a multiple of the window's length
	Min  float64 `json:"min"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
	N    int     `json:"n"`
	Late bool    `json:"late,omitempty"` // a reading of the device in this window arrived late
}

const (
	// chosenWindows is how many windows Every 0 gives at most, askedWindows how many may be asked for.
	chosenWindows = 1_000
	askedWindows  = 10_000
	// metricsSpan is how far back Metrics looks.
	metricsSpan = 30 * 24 * time.Hour
)

// Series reads history: windows that touch From to To, in order, aligned to multiples of their length since 1970 (UTC).
// Errors are ErrInvalid and ErrUnavailable.
func (i *Ingest) Series(ctx context.Context, q Query) ([]Point, error) {
	w, err := q.window()
	if err != nil {
		return nil, err
	}
	parts := w.parts()
	points, errs := make([][]Point, len(parts)), make([]error, len(parts))
	var asked sync.WaitGroup
	for n, part := range parts {
		asked.Go(func() { points[n], errs[n] = i.seriesPart(ctx, q, part) })
	}
	asked.Wait()
	if err := cmp.Or(errs...); err != nil {
		return nil, err
	}
	return append([]Point{}, slices.Concat(points...)...), nil
}

func (i *Ingest) seriesPart(ctx context.Context, q Query, w window) ([]Point, error) {
	t, err := i.ask(ctx, seriesQuery(q.Device, q.Metric, w))
	if err != nil {
		return nil, err
	}
	points, err := t.points()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return points, nil
}

// Metrics lists the metrics a device has in the last 30 days, by name. Errors as for Series.
func (i *Ingest) Metrics(ctx context.Context, device string) ([]string, error) {
	if !telemetry.ValidID(device) {
		return nil, fmt.Errorf("%w: device", ErrInvalid)
	}
	t, err := i.ask(ctx, metricsQuery(device, time.Now().Add(-metricsSpan)))
	if err != nil {
		return nil, err
	}
	own := func(name string) bool { return name == clockBadField || name == lateField }
	names := slices.DeleteFunc(t.names(), own)
	slices.Sort(names)
	return names, nil
}

// Window gives the length of the windows that Series answers q with.
func (q Query) Window() (time.Duration, error) {
	w, err := q.window()
	return w.every, err
}

// window is the range of a query in whole windows.
type window struct {
	from, to time.Time
	every    time.Duration
}

func (q Query) window() (window, error) {
	span := q.To.Sub(q.From)
	every := q.Every
	switch {
	case !telemetry.ValidID(q.Device):
		return window{}, fmt.Errorf("%w: device", ErrInvalid)
	case !storable(q.Metric) && q.Metric != clockBadField && q.Metric != lateField:
		return window{}, fmt.Errorf("%w: metric", ErrInvalid)
	case span <= 0 || q.From.Unix() < 0 || q.To.Year() > 2200:
		return window{}, fmt.Errorf("%w: from must lie before to, both between 1970 and 2200", ErrInvalid)
	case every < 0 || every > 0 && every < time.Second:
		return window{}, fmt.Errorf("%w: every must be at least a second", ErrInvalid)
	case every > 0 && span/every > askedWindows:
		return window{}, fmt.Errorf("%w: every gives more than %d points", ErrInvalid, askedWindows)
	}
	every = every.Truncate(time.Millisecond)
	if every == 0 {
		every = chooseEvery(span)
	}
	w := window{from: floor(q.From, every), to: floor(q.To, every), every: every}
	if w.to.Before(q.To) {
		w.to = w.to.Add(every)
	}
	return w, nil
}

// parts are two halves of a long range, which are asked for at once: InfluxDB works at one query with one processor.
func (w window) parts() []window {
	const long = 30 * 24 * time.Hour
	half := w.to.Sub(w.from) / 2 / w.every * w.every
	if half < long {
		return []window{w}
	}
	middle := w.from.Add(half)
	return []window{{w.from, middle, w.every}, {middle, w.to, w.every}}
}

// chooseEvery gives the shortest of the usual lengths that needs no more than chosenWindows.
func chooseEvery(span time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, every := range []time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
		time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day,
	} {
		if span <= every*chosenWindows {
			return every
		}
	}
	return 84 * day
}

// floor gives the start of the window of t, counted from 1970.
func floor(t time.Time, every time.Duration) time.Time {
	ms := t.UnixMilli()
	return time.UnixMilli(ms - ms%every.Milliseconds())
}
