package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// InfluxDB is where the hub stores readings: 1.8, or 2.x by its /query endpoint of the same form.
type InfluxDB struct {
	URL    string
	Bucket string // "db/rp" in 1.8
	Token  string // "user:password" in 1.8
}

// point is one stored point of a device.
type point struct {
	ns     int64
	values map[string]float64
	fault  bool // the hub did not believe the clock
	taken  bool // by a reading
}

// points reads what is stored of a device from a moment on, in ns.
func (db InfluxDB) points(ctx context.Context, device string, from int64) ([]*point, error) {
	name, policy, _ := strings.Cut(db.Bucket, "/")
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(device)
	form := url.Values{
		"db": {name}, "epoch": {"ns"}, "chunked": {"true"},
		"q": {fmt.Sprintf("SELECT * FROM telemetry WHERE device = '%s' AND time >= %d", quoted, from)},
	}
	if policy != "" {
		form.Set("rp", policy)
	}
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(db.URL, "/")+"/query?"+form.Encode(), nil)
	if err != nil {
		return nil, err
	}
	if db.Token != "" {
		ask.Header.Set("Authorization", "Token "+db.Token)
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300)) // only to tell more
		return nil, fmt.Errorf("%s: %s", answer.Status, text)
	}
	return readPoints(answer.Body)
}

// series is a part of an answer.
type series struct {
	Columns []string
	Values  [][]any
}

// readPoints reads a chunked answer: one JSON object after another.
func readPoints(r io.Reader) ([]*point, error) {
	in := json.NewDecoder(r)
	in.UseNumber() // a time in ns does not fit a float
	var out []*point
	for in.More() {
		var chunk struct {
			Error   string
			Results []struct {
				Error  string
				Series []series
			}
		}
		if err := in.Decode(&chunk); err != nil {
			return nil, err
		}
		if chunk.Error != "" {
			return nil, errors.New(chunk.Error)
		}
		for _, result := range chunk.Results {
			if result.Error != "" {
				return nil, errors.New(result.Error)
			}
			for _, s := range result.Series {
				part, err := s.points()
				if err != nil {
					return nil, err
				}
				out = append(out, part...)
			}
		}
	}
	return out, nil
}

func (s series) points() ([]*point, error) {
	var out []*point
	for _, row := range s.Values {
		p := &point{values: map[string]float64{}}
		for i, cell := range row {
			number, ok := cell.(json.Number)
			if !ok || i >= len(s.Columns) {
				continue // tags, and fields that this point has not
			}
			if err := p.set(s.Columns[i], string(number)); err != nil {
				return nil, err
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func (p *point) set(column, number string) (err error) {
	switch column {
	case "time":
		p.ns, err = strconv.ParseInt(number, 10, 64)
	case "clock_bad":
		p.fault = true
	default:
		p.values[column], err = strconv.ParseFloat(number, 64)
	}
	return err
}
