package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"pgregory.net/rapid"
)

// Percentiles agree with those counted from the sorted values, within the histogram's three digits.
func TestPercentilesAgainstSorting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(1, 50_000_000), 1, 300).Draw(t, "µs")
		h := hdrhistogram.New(1, 100_000_000, 3)
		for _, v := range values {
			if err := h.RecordValue(v); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(values)
		l := FromHistogram("x", h)
		if l.Count != int64(len(values)) {
			t.Fatalf("count %d of %d", l.Count, len(values))
		}
		for _, c := range []struct{ q, have float64 }{{50, l.P50}, {90, l.P90}, {99, l.P99}, {99.9, l.P999}, {100, l.Max}} {
			rank := c.q / 100 * float64(len(values)) // the histogram rounds it, so either neighbour will do
			low := float64(values[max(1, int(rank))-1]) / 1000
			high := float64(values[min(len(values), int(rank)+1)-1]) / 1000
			if c.have < low*0.998-0.001 || c.have > high*1.002+0.001 {
				t.Fatalf("p%v: have %v ms, want %v to %v ms of %v", c.q, c.have, low, high, values)
			}
		}
		if !slices.IsSortedFunc(l.Curve, func(a, b Quant) int { return cmp.Compare(a.MS, b.MS) }) {
			t.Fatalf("the curve falls: %v", l.Curve)
		}
	})
}

func TestEmptyHistogramIsAllZero(t *testing.T) {
	if l := FromHistogram("x", hdrhistogram.New(1, 1000, 2)); l.Count != 0 || l.Max != 0 || len(l.Curve) != 0 {
		t.Errorf("have %+v", l)
	}
}

func sample() Report {
	h := hdrhistogram.New(1, 100_000_000, 3)
	for i := range int64(1000) {
		_ = h.RecordValue((i + 1) * 100)
	}
	return Report{
		Title: "Bench <1>", At: time.Date(2026, 7, 1, 8, 0, 0, 0, time.UTC), Facts: []Fact{{"cores", "2"}},
		Sections: []Section{{
			Name: `a & "b"`, Note: "a note", Facts: []Fact{{"ratio", "0.84"}},
			Latencies: []Latency{FromHistogram("PUBLISH to <PUBACK>", h), FromHistogram("none", hdrhistogram.New(1, 1000, 2))},
			Series:    []Series{FromCounts("watch & house", "acks/s", []int64{1, 150000, 3}), FromCounts("none", "acks/s", nil)},
		}},
	}
}

func TestText(t *testing.T) {
	var out strings.Builder
	if err := sample().WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Bench <1>", "2026-07-01", "ratio  0.84", "PUBLISH to <PUBACK>", "50.0", "99.0", "100.0", "a note"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing in\n%s", want, out.String())
		}
	}
}

func TestJSONHoldsWhatTheReportHolds(t *testing.T) {
	var out bytes.Buffer
	if err := sample().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if l := back.Sections[0].Latencies[0]; l.Count != 1000 || math.Abs(l.P50-50) > 0.1 || math.Abs(l.P99-99) > 0.1 {
		t.Errorf("have %+v", l)
	}
}

// One page: nothing is fetched, names are escaped, and every plot is well-formed with all its lines and no bad number.
func TestPageIsSelfContained(t *testing.T) {
	var out strings.Builder
	if err := sample().WriteHTML(&out); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	for _, bad := range []string{"http:", "https:", "<script", "src=", "NaN", "Inf", "<PUBACK>", "Bench <1>"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	plots := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(plots) != 2 {
		t.Fatalf("%d plots, want 2", len(plots))
	}
	for _, plot := range plots {
		d := xml.NewDecoder(strings.NewReader(plot))
		lines := 0
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%v in %s", err, plot)
			}
			if e, ok := token.(xml.StartElement); ok && e.Name.Local == "polyline" {
				lines++
			}
		}
		if lines != 2 {
			t.Errorf("%d lines in a plot, want 2", lines)
		}
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWritersReportTheirError(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"text": sample().WriteText, "json": sample().WriteJSON, "html": sample().WriteHTML,
	} {
		if err := write(broken{}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: have %v", name, err)
		}
	}
}

func TestShortNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 0.123456: "0.123", 42: "42", 1234: "1234", 15300: "15.3k", 2500000: "2.5M"} {
		if have := short(v); have != want {
			t.Errorf("short(%v): have %s, want %s", v, have, want)
		}
	}
}
