package ingest

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// The results of seriesFlux, by the name of their yield.
const (
	yieldMin  = "min"
	yieldMax  = "max"
	yieldMean = "mean"
	yieldN    = "n"
)

// seriesFlux asks for four numbers of each window that has data. The tags other than device are dropped before the windows
// are made, so a device that moved has one series. It works in Flux 0.65 (InfluxDB 1.8) and in 2.x.
func seriesFlux(bucket, device, metric string, w window) string {
	var b strings.Builder
	fmt.Fprintf(&b, "data = from(bucket: %s)\n", quote(bucket))
	fmt.Fprintf(&b, "  |> range(start: time(v: %d), stop: time(v: %d))\n", w.from.UnixNano(), w.to.UnixNano())
	fmt.Fprintf(&b, "  |> filter(fn: (r) => r._measurement == %s and r.device == %s and r._field == %s)\n",
		quote(measurement), quote(device), quote(metric))
	fmt.Fprintf(&b, "  |> keep(columns: [\"_time\", \"_value\", \"_start\", \"_stop\"])\n")
	fmt.Fprintf(&b, "  |> window(every: %dms)\n", w.every.Milliseconds())
	for _, a := range []struct{ fn, yield string }{
		{"min", yieldMin},
		{"max", yieldMax},
		{"mean", yieldMean},
		{"count", yieldN},
	} {
		fmt.Fprintf(&b, "data |> %s() |> keep(columns: [\"_start\", \"_value\"]) |> group() |> yield(name: %s)\n",
			a.fn, quote(a.yield))
	}
	return b.String()
}

// metricsFlux asks for the names of a device's fields.
func metricsFlux(bucket, device string, span time.Duration) string {
	return fmt.Sprintf("from(bucket: %s)\n  |> range(start: -%ds)\n"+
		"  |> filter(fn: (r) => r._measurement == %s and r.device == %s)\n"+
		"  |> last()\n  |> keep(columns: [\"_field\"])\n  |> group()\n  |> distinct(column: \"_field\")\n",
		quote(bucket), int64(span.Seconds()), quote(measurement), quote(device))
}

// quote makes a Flux string literal in which every byte that is no letter, digit or harmless sign is given in hex, so
// nothing in s can end the literal or begin an interpolation.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for n := range len(s) {
		c := s[n]
		switch {
		case c >= '0' && c <= '9', c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', strings.IndexByte("_-./ ", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, `\x%02x`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// row is one record of an answer.
type row struct {
	result string
	start  any
	value  any
}

// into adds one of the four numbers to its window.
func (r row) into(windows map[int64]*Point) error {
	start, ok := r.start.(time.Time)
	if !ok {
		return fmt.Errorf("a window without start, but %T", r.start)
	}
	ts := start.UnixMilli()
	p := windows[ts]
	if p == nil {
		p = &Point{TS: ts}
		windows[ts] = p
	}
	switch v := r.value.(type) {
	case float64:
		switch r.result {
		case yieldMin:
			p.Min = v
		case yieldMax:
			p.Max = v
		case yieldMean:
			p.Mean = v
		}
	case int64:
		p.N = int(v)
	default:
		return fmt.Errorf("a value of type %T", v)
	}
	return nil
}

func (i *Ingest) bucket() string {
	if i.db == nil {
		return ""
	}
	return i.db.bucket
}

// ask runs a query and hands over each row. Whatever fails is ErrUnavailable.
func (i *Ingest) ask(ctx context.Context, flux string, each func(row) error) error {
	if i.db == nil {
		return ErrNotConfigured
	}
	ctx, cancel := context.WithTimeout(ctx, i.limits.query)
	defer cancel()
	result, err := i.db.reader.Query(ctx, flux)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = result.Close() }() // all that matters has been read by then, or the error is result.Err
	for result.Next() {
		r := result.Record()
		if err := each(row{r.Result(), r.ValueByKey("_start"), r.Value()}); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
	}
	if err := result.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return nil
}
