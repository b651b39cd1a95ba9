package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"
)

// Size of a plot in SVG units and its margins.
const (
	width, height            = 760.0, 260.0
	left, right, top, bottom = 56.0, 12.0, 12.0, 44.0
)

func colour(i int) string {
	return [...]string{"#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b", "#e377c2"}[i%6]
}

// dash keeps lines apart for who does not see the colours.
func dash(i int) string { return [...]string{"none", "6 3", "2 3", "8 3 2 3"}[i%4] }

// canvas collects SVG elements. Names are escaped, so the result is safe HTML.
type canvas struct {
	strings.Builder
	maxX, maxY float64
}

func newCanvas(label string, maxX, maxY float64) *canvas {
	c := &canvas{maxX: max(maxX, 1e-9), maxY: max(maxY, 1e-9)}
	fmt.Fprintf(c, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, width, height, template.HTMLEscapeString(label))
	return c
}

func (c *canvas) x(v float64) float64 { return left + v/c.maxX*(width-left-right) }
func (c *canvas) y(v float64) float64 { return height - bottom - v/c.maxY*(height-top-bottom) }

func (c *canvas) text(x, y float64, anchor, s string) {
	fmt.Fprintf(c, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, template.HTMLEscapeString(s))
}

// scale draws four horizontal lines with their values and the unit.
func (c *canvas) scale(unit string) {
	for i := range 5 {
		v := c.maxY * float64(i) / 4
		fmt.Fprintf(c, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/>`, left, width-right, c.y(v), c.y(v))
		c.text(left-6, c.y(v)+4, "end", short(v))
	}
	c.text(left, top-2, "start", unit)
}

// line draws one curve and its legend entry.
func (c *canvas) line(i int, name string, points [][2]float64) {
	var path strings.Builder
	for _, p := range points {
		fmt.Fprintf(&path, "%.1f,%.1f ", c.x(p[0]), c.y(p[1]))
	}
	fmt.Fprintf(c, `<polyline class="plot" stroke="%s" stroke-dasharray="%s" points="%s"/>`, colour(i), dash(i), path.String())
	x := left + float64(i%3)*230
	y := height - 16 + float64(i/3%2)*12
	fmt.Fprintf(c, `<line x1="%.0f" x2="%.0f" y1="%.0f" y2="%.0f" stroke="%s" stroke-dasharray="%s" stroke-width="3"/>`,
		x, x+16, y-4, y-4, colour(i), dash(i))
	c.text(x+20, y, "start", name)
}

func (c *canvas) done() template.HTML {
	c.WriteString("</svg>")
	return template.HTML(c.String()) // every text went through HTMLEscapeString
}

// percentilePlot draws latency over percentile, the distance to 100 % on a logarithmic scale, as HDR plots do.
func percentilePlot(ls []Latency) template.HTML {
	var maxX, maxY float64
	for _, l := range ls {
		for _, q := range l.Curve {
			maxX, maxY = max(maxX, nines(q.Percentile)), max(maxY, q.MS)
		}
	}
	c := newCanvas("latency by percentile", maxX, maxY)
	c.scale("ms")
	for n, name := range []string{"0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %"} {
		if float64(n) <= maxX {
			c.text(c.x(float64(n)), height-bottom+14, "middle", name)
		}
	}
	for i, l := range ls {
		c.line(i, l.Name, curve(l))
	}
	return c.done()
}

// curve gives the points of a latency. The maximum, at 100 %, has no place on the scale: it is drawn above the last measured percentile.
func curve(l Latency) [][2]float64 {
	var points [][2]float64
	last := 0.0
	for _, q := range l.Curve {
		if q.Percentile < 100 {
			last = nines(q.Percentile)
		}
		points = append(points, [2]float64{last, q.MS})
	}
	return points
}

// nines is how many nines a percentile below 100 has: 1 for 90 %, 2 for 99 %.
func nines(p float64) float64 {
	if p >= 100 {
		return 0
	}
	return -math.Log10(1 - p/100)
}

// seriesPlot draws values over time.
func seriesPlot(ss []Series) template.HTML {
	var maxX, maxY float64
	for _, s := range ss {
		maxX = max(maxX, s.Step*float64(len(s.Values)-1))
		for _, v := range s.Values {
			maxY = max(maxY, v)
		}
	}
	c := newCanvas("values over time", maxX, maxY)
	c.scale(ss[0].Unit)
	for i := range 6 {
		v := maxX * float64(i) / 5
		c.text(c.x(v), height-bottom+14, "middle", short(v)+" s")
	}
	for i, s := range ss {
		var points [][2]float64
		for n, v := range s.Values {
			points = append(points, [2]float64{float64(n) * s.Step, v})
		}
		c.line(i, s.Name, points)
	}
	return c.done()
}

// short writes a number with at most three figures and a suffix for thousands.
func short(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 1e4:
		return fmt.Sprintf("%.3gk", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.3g", v)
	}
}
