package profile

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"watchhouse/telemetry"
)

// Settings of a container's sensor.
const (
	settingEmpty  = "empty_mm" // distance to the bottom
	settingFull   = "full_mm"  // distance at which the container counts as full
	settingStream = "stream"
)

var streams = []string{"wet", "dry", "recyclable", "hazardous"}

// Mount is how one device of a model is mounted.
type Mount struct {
	empty, full float64
	metric      string
	fault       *telemetry.FieldError
}

// Mount reads the settings of a device, "empty_mm=1200;full_mm=200;stream=wet", on top of the model's. The error is a
// *telemetry.FieldError; a Reader with such a mount reads everything but the fill level, and reports that.
func (m *Model) Mount(settings string) (Mount, error) {
	if len(m.settings) == 0 {
		return Mount{}, nil // of a model that has none they are a note
	}
	s := maps.Clone(m.settings)
	for item := range strings.SplitSeq(settings, ";") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		k, v, ok := strings.Cut(item, "=")
		if k = strings.TrimSpace(k); !ok || m.settings[k] == "" {
			return faulty("settings", "name=value;… with the names of the model", "another")
		}
		s[k] = strings.TrimSpace(v)
	}
	return mountOf(s)
}

func mountOf(s map[string]string) (Mount, error) {
	var m Mount
	var ok bool
	if m.empty, ok = distance(s[settingEmpty]); !ok {
		return faulty("settings."+settingEmpty, "millimetres from 1 to 100000", "another")
	}
	if m.full, ok = distance(s[settingFull]); !ok || m.full >= m.empty {
		return faulty("settings."+settingFull, "millimetres from 0, fewer than "+settingEmpty, "another")
	}
	if !slices.Contains(streams, s[settingStream]) {
		return faulty("settings."+settingStream, strings.Join(streams, ", "), "another")
	}
	m.metric = "fill_" + s[settingStream] + "_pct"
	return m, nil
}

func distance(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && f >= 0 && f <= 100000
}

func faulty(field, want, got string) (Mount, error) {
	f := fault(field, want, got)
	return Mount{fault: f}, f
}

// fill is how full the container is, in percent, at a distance.
func (m Mount) fill(mm float64) float64 {
	pct := (m.empty - mm) / (m.empty - m.full) * 100
	return math.Round(min(max(pct, 0), 100)*10) / 10
}
