package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"text/tabwriter"
	"time"
)

// WriteText writes the report for a terminal.
func (r Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s  %s\n", r.Title, r.At.Format(time.RFC3339))
	facts(&out, r.Facts)
	for _, s := range r.Sections {
		fmt.Fprintf(&out, "\n%s\n", s.Name)
		facts(&out, s.Facts)
		latencies(&out, s.Latencies)
		if s.Note != "" {
			fmt.Fprintf(&out, "  (%s)\n", s.Note)
		}
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

func facts(out *bytes.Buffer, facts []Fact) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range facts {
		fmt.Fprintf(table, "  %s\t%s\n", f.Name, f.Value)
	}
	_ = table.Flush() // a bytes.Buffer does not fail
}

func latencies(out *bytes.Buffer, ls []Latency) {
	if len(ls) == 0 {
		return
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "  ms\tcount\tmin\tp50\tp90\tp99\tp99.9\tmax\t")
	for _, l := range ls {
		fmt.Fprintf(table, "  %s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\n", l.Name, l.Count, l.Min, l.P50, l.P90, l.P99, l.P999, l.Max)
	}
	_ = table.Flush() // a bytes.Buffer does not fail
}

// WriteJSON writes the report as indented JSON.
func (r Report) WriteJSON(w io.Writer) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

//go:embed page.html
var page string

// WriteHTML writes the report as one self-contained page.
func (r Report) WriteHTML(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{"percentiles": percentilePlot, "over": seriesPlot}).Parse(page)
	if err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}
