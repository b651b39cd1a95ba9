package telemetry

import "strings"

// Metric is one number with its unit in the name. Booleans decode as 0 and 1.
type Metric struct {
	Name  string
	Value float64
}

// UnitOf reads the unit of a metric off the suffix of its name, "" when it has none.
func UnitOf(name string) string {
	_, suffix, _ := cutLast(name, "_")
	switch suffix {
	case "pct":
		return "%"
	case "c":
		return "°C"
	case "v":
		return "V"
	case "a":
		return "A"
	case "w":
		return "W"
	case "dbm":
		return "dBm"
	case "db":
		return "dB"
	case "kg", "g", "ppm", "ppb", "mm", "cm", "m", "s", "ms", "lux":
		return suffix
	}
	return ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// ValidMetric reports whether a metric's name can be stored and asked for: a letter, then up to 63 of [A-Za-z0-9_.-].
func ValidMetric(name string) bool { return validMetricName([]byte(name)) }

// validMetricName reports whether a name can be stored and asked for: a letter, then up to 63 of [A-Za-z0-9_.-].
func validMetricName(name []byte) bool {
	if len(name) == 0 || len(name) > maxID || !letter(name[0]) {
		return false
	}
	for _, c := range name {
		if !alphanumeric(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

// metricName is the name as a string; the shipped ones cost no allocation.
func metricName(name []byte) string {
	for _, shipped := range [...]string{
		"battery_pct", "battery_v", "fill_dry_pct", "fill_hazardous_pct", "fill_recyclable_pct", "fill_wet_pct", "humidity_pct",
		"mains", "nh3_ppm", "rssi_dbm", "temp_c", "weight_dry_kg", "weight_hazardous_kg", "weight_recyclable_kg", "weight_wet_kg",
	} {
		if string(name) == shipped {
			return shipped
		}
	}
	return string(name)
}
