package alerts

import (
	"math"
	"strings"
)

// FillPoint is how full the streams of a sorting point are, from the windows. Times are Unix ms, 0 = not known.
type FillPoint struct {
	Device  string       `json:"device"`
	Streams []FillStream `json:"streams"`
}

// FillStream is one of them.
type FillStream struct {
	Stream    string  `json:"stream" doc:"wet, dry, recyclable or hazardous, or another of the rules."`
	FillPct   float64 `json:"fill_pct" doc:"The latest reading."`
	At        int64   `json:"at" doc:"Of that reading, Unix ms."`
	RatePctH  float64 `json:"rate_pct_h" doc:"Per hour since it was emptied; 0 = not known."`
	FullAt    int64   `json:"full_at" doc:"When it will be full at that rate, Unix ms; 0 = not known, or it does not fill."`
	EmptiedAt int64   `json:"emptied_at" doc:"Unix ms; 0 = not seen yet."`
}

// fullPct is what counts as full.
const fullPct = 95

// Points gives the devices whose rules watch a level fill_…_pct, by id, as far as their lanes have been read.
func (e *Engine) Points() []FillPoint { return e.watch.points() }

func (w *watch) points() []FillPoint {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := []FillPoint{}
	for _, id := range sortedKeys(w.devices) {
		if streams := w.devices[id].streams(w.spec); len(streams) > 0 {
			list = append(list, FillPoint{Device: id, Streams: streams})
		}
	}
	return list
}

func (d *watched) streams(spec *watchSpec) []FillStream {
	var list []FillStream
	for slot, s := range d.series {
		name, level := strings.CutPrefix(spec.metrics[slot], "fill_")
		if s == nil || s.Tank == nil || !level {
			continue
		}
		last, ok := s.Last()
		if !ok {
			continue
		}
		x := FillStream{Stream: strings.TrimSuffix(name, "_pct"), FillPct: last.V, At: last.At, EmptiedAt: s.Tank.Emptied}
		if rate := s.FillRate(); rate > 0 {
			x.RatePctH = rate
		}
		if full := s.FullAt(fullPct); full < math.MaxInt64/2 {
			x.FullAt = int64(full)
		}
		list = append(list, x)
	}
	return list
}
