package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"watchhouse/ingest/influxdb"
)

// store is one database of a server, read by InfluxQL: another way than the package's own reader.
type store struct {
	t       testing.TB
	url, db string
}

// newStore makes a database in the shared server; duration is its retention, "" = for ever.
func newStore(t testing.TB, duration string) store {
	t.Helper()
	s := store{t: t, url: shared.url(t), db: fmt.Sprintf("t%d", shared.n.Add(1))}
	q := "CREATE DATABASE " + s.db
	if duration != "" {
		q += " WITH DURATION " + duration + " NAME autogen"
	}
	s.influxQL(q)
	return s
}

func storeOf(t testing.TB, s *influxdb.Server) store {
	return store{t: t, url: s.URL(), db: influxdb.Database}
}

func (s store) config() Config {
	cfg := DefaultConfig()
	cfg.URL, cfg.Bucket = s.url, s.db+"/autogen"
	return cfg
}

type influxRow struct {
	Columns []string `json:"columns"`
	Values  [][]any  `json:"values"`
}

// influxQL runs a query and gives the rows of its first series.
func (s store) influxQL(q string) influxRow {
	s.t.Helper()
	v := url.Values{"db": {s.db}, "q": {q}, "epoch": {"ns"}}
	resp, err := http.PostForm(s.url+"/query", v)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out struct {
		Results []struct {
			Error  string
			Series []influxRow
		}
	}
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(&out); err != nil || len(out.Results) != 1 || out.Results[0].Error != "" {
		s.t.Fatalf("%s: %v %+v", q, err, out)
	}
	if len(out.Results[0].Series) == 0 {
		return influxRow{}
	}
	return out.Results[0].Series[0]
}

// count is how many values of a field are stored.
func (s store) count(field string) int {
	s.t.Helper()
	r := s.influxQL(`SELECT count("` + field + `") FROM telemetry`)
	if len(r.Values) == 0 {
		return 0
	}
	n, err := r.Values[0][1].(json.Number).Int64()
	if err != nil {
		s.t.Fatal(err)
	}
	return int(n)
}

// write puts lines there without the package.
func (s store) write(lines string) {
	s.t.Helper()
	u := s.url + "/api/v2/write?precision=ns&bucket=" + url.QueryEscape(s.db+"/autogen")
	resp, err := http.Post(u, "text/plain", strings.NewReader(lines))
	if err != nil {
		s.t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		s.t.Fatalf("prepare the database: %s", resp.Status)
	}
}
