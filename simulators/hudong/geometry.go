package hudong

import (
	"math"
	"math/rand/v2"
)

// The outline is a rectangle of the subdistrict's size (about 5.5 km²) around its centre, turned to follow the streets; it is not the
// administrative border.
const (
	centreLat, centreLon = 31.2610, 121.5790
	widthM, heightM      = 2180, 2520
	turn                 = -0.30 // radians
	columns, rows        = 4, 8
	jitter               = 0.16 // share of a cell by which an inner corner may move; below 0.25 every cell stays convex
	metresPerDegree      = 111320.0
)

// corners makes the shared corners of the grid, so that neighbours have one border and neither gap nor overlap.
func corners(rng *rand.Rand) [rows + 1][columns + 1]Point {
	var grid [rows + 1][columns + 1]Point
	for r := range rows + 1 {
		for c := range columns + 1 {
			u, v := float64(c), float64(r)
			if r > 0 && r < rows && c > 0 && c < columns {
				u += jitter * (2*rng.Float64() - 1)
				v += jitter * (2*rng.Float64() - 1)
			}
			grid[r][c] = project(u/columns-0.5, v/rows-0.5)
		}
	}
	return grid
}

// project maps the unit square around the origin to the turned rectangle on the map.
func project(u, v float64) Point {
	x, y := u*widthM, v*heightM
	sin, cos := math.Sincos(turn)
	east, north := x*cos-y*sin, x*sin+y*cos
	return Point{
		Lat: round6(centreLat + north/metresPerDegree),
		Lon: round6(centreLon + east/(metresPerDegree*math.Cos(centreLat*math.Pi/180))),
	}
}

// within picks a point inside a convex four-cornered border, away from its edges.
func within(rng *rand.Rand, border []Point) Point {
	u, v := 0.15+0.7*rng.Float64(), 0.15+0.7*rng.Float64()
	mix := func(a, b, c, d float64) float64 { return (a*(1-u)+b*u)*(1-v) + (d*(1-u)+c*u)*v }
	a, b, c, d := border[0], border[1], border[2], border[3]
	return Point{Lat: round6(mix(a.Lat, b.Lat, c.Lat, d.Lat)), Lon: round6(mix(a.Lon, b.Lon, c.Lon, d.Lon))}
}

// Contains reports whether p lies inside the border (even-odd rule).
func (a Area) Contains(p Point) bool {
	inside := false
	for i, q := range a.Border {
		o := a.Border[(i+len(a.Border)-1)%len(a.Border)]
		if (q.Lat > p.Lat) != (o.Lat > p.Lat) && p.Lon < (o.Lon-q.Lon)*(p.Lat-q.Lat)/(o.Lat-q.Lat)+q.Lon {
			inside = !inside
		}
	}
	return inside
}

func round6(x float64) float64 { return math.Round(x*1e6) / 1e6 }
