package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// seriesQuery asks for five numbers of each window that has data. Series that differ in kind or area are one, so a device that
// moved has one history.
func seriesQuery(device, metric string, w window) string {
	field := quoteName(metric)
	return fmt.Sprintf("SELECT min(%[1]s), max(%[1]s), mean(%[1]s), count(%[1]s), max(%[2]s) FROM %[3]s "+
		"WHERE %[4]s = %[5]s AND time >= %[6]d AND time < %[7]d GROUP BY time(%[8]dms) fill(none)",
		field, quoteName(lateField), quoteName(measurement), quoteName(tagDevice), quoteText(device),
		w.from.UnixNano(), w.to.UnixNano(), w.every.Milliseconds())
}

// metricsQuery asks for the last value of each field of a device; a field without one is null.
func metricsQuery(device string, since time.Time) string {
	return fmt.Sprintf("SELECT last(*) FROM %s WHERE %s = %s AND time >= %d",
		quoteName(measurement), quoteName(tagDevice), quoteText(device), since.UnixNano())
}

// lastPrefix begins the columns of metricsQuery.
const lastPrefix = "last_"

// quoteName makes an identifier of InfluxQL.
func quoteName(s string) string { return `"` + escape(s, `"`) + `"` }

// quoteText makes a string of InfluxQL.
func quoteText(s string) string { return `'` + escape(s, `'`) + `'` }

func escape(s, mark string) string {
	return strings.NewReplacer(`\`, `\\`, mark, `\`+mark, "\n", `\n`).Replace(s)
}

// table is the answer to a query of one series: a time in Unix ms and numbers, null where there is none.
type table struct {
	Columns []string     `json:"columns"`
	Values  [][]*float64 `json:"values"`
}

// answers is the body of an answer.
type answers struct {
	Results []struct {
		Series []table `json:"series"`
		Error  string  `json:"error"`
	} `json:"results"`
}

// ask runs a query. It speaks InfluxQL, for which docs/decisions/0007 has the reason. Whatever fails is ErrUnavailable.
func (i *Ingest) ask(ctx context.Context, query string) (table, error) {
	if i.db == nil {
		return table{}, ErrNotConfigured
	}
	ctx, cancel := context.WithTimeout(ctx, i.limits.query)
	defer cancel()
	t, err := i.db.query(ctx, query)
	if err != nil {
		return t, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return t, nil
}

func (d *database) query(ctx context.Context, query string) (table, error) {
	name, policy, _ := strings.Cut(d.bucket, "/")
	form := url.Values{"db": {name}, "q": {query}, "epoch": {"ms"}}
	if policy != "" {
		form.Set("rp", policy)
	}
	var got answers
	service := d.client.HTTPService()
	fault := service.DoPostRequest(ctx, service.ServerURL()+"query", strings.NewReader(form.Encode()),
		func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		func(r *http.Response) error {
			defer r.Body.Close()
			return json.NewDecoder(r.Body).Decode(&got)
		})
	if fault != nil {
		return table{}, fault
	}
	if len(got.Results) != 1 || got.Results[0].Error != "" {
		return table{}, errors.New("query: " + got.reason())
	}
	if len(got.Results[0].Series) == 0 {
		return table{}, nil
	}
	return got.Results[0].Series[0], nil
}

func (a answers) reason() string {
	if len(a.Results) == 1 {
		return brief(a.Results[0].Error)
	}
	return "an answer without a result"
}

// points reads the windows of a seriesQuery.
func (t table) points() ([]Point, error) {
	out := make([]Point, 0, len(t.Values))
	for _, row := range t.Values {
		if len(row) != 6 || row[0] == nil {
			return nil, fmt.Errorf("a window of %d columns", len(row))
		}
		if row[1] == nil || row[2] == nil || row[3] == nil || row[4] == nil { // only another metric arrived late
			continue
		}
		out = append(out, Point{TS: int64(*row[0]), Min: *row[1], Max: *row[2], Mean: *row[3], N: int(*row[4]), Late: row[5] != nil})
	}
	return out, nil
}

// names reads the fields of a metricsQuery that have a value.
func (t table) names() []string {
	var out []string
	for _, row := range t.Values {
		for n, column := range t.Columns {
			if name, ok := strings.CutPrefix(column, lastPrefix); ok && n < len(row) && row[n] != nil {
				out = append(out, name)
			}
		}
	}
	return out
}
