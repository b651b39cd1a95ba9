package speak

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// mount is how a distance sensor hangs over a bin.
type mount struct {
	empty, full float64 // mm
	stream      string
}

// mountOf reads settings such as "empty_mm=1200;full_mm=200;stream=wet"; other settings are others' business.
func mountOf(settings string) (mount, error) {
	m := mount{empty: 1200, full: 200, stream: "recyclable"}
	for part := range strings.SplitSeq(settings, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var err error
		switch name {
		case "empty_mm":
			m.empty, err = strconv.ParseFloat(value, 64)
		case "full_mm":
			m.full, err = strconv.ParseFloat(value, 64)
		case "stream":
			m.stream = value
		}
		if err != nil {
			return m, fmt.Errorf("settings: %s: want millimetres, have %q", name, value)
		}
	}
	return m, nil
}

// distance is what the sensor reads over a bin.
func (m mount) distance(values map[string]float64) float64 {
	fill := values["fill_"+m.stream+"_pct"] / 100
	return math.Round(m.empty - fill*(m.empty-m.full))
}
