package telemetry

import "strings"

// Metric is one number with its unit in the name. Booleans decode as 0 and 1.
type Metric struct {
	Name  string
	Value float64
}

// MetricInfo describes a metric to people. Unit is as shown ("%", "kg", "°C"), "" for a yes or no.
type MetricInfo struct {
	Name    string
	Unit    string
	LabelZH string
	LabelEN string
}

// Metrics is the table of the shipped metrics. Devices may send others: those are kept and stored, and InfoOf knows their
// unit by the suffix of their name.
func Metrics() []MetricInfo {
	return []MetricInfo{
		{"battery_pct", "%", "电池电量", "Battery"},
		{"battery_v", "V", "电池电压", "Battery voltage"},
		{"fill_dry_pct", "%", "干垃圾满溢度", "Residual waste fill"},
		{"fill_hazardous_pct", "%", "有害垃圾满溢度", "Hazardous waste fill"},
		{"fill_recyclable_pct", "%", "可回收物满溢度", "Recyclables fill"},
		{"fill_wet_pct", "%", "湿垃圾满溢度", "Food waste fill"},
		{"humidity_pct", "%", "相对湿度", "Relative humidity"},
		{"mains", "", "市电", "Mains supply"},
		{"nh3_ppm", "ppm", "氨气浓度", "Ammonia"},
		{"rssi_dbm", "dBm", "信号强度", "Signal strength"},
		{"temp_c", "°C", "温度", "Temperature"},
		{"weight_dry_kg", "kg", "干垃圾重量", "Residual waste weight"},
		{"weight_hazardous_kg", "kg", "有害垃圾重量", "Hazardous waste weight"},
		{"weight_recyclable_kg", "kg", "可回收物重量", "Recyclables weight"},
		{"weight_wet_kg", "kg", "湿垃圾重量", "Food waste weight"},
	}
}

// InfoOf describes a metric; one that is not in the table is labelled with its name.
func InfoOf(name string) MetricInfo {
	for _, m := range Metrics() {
		if m.Name == name {
			return m
		}
	}
	return MetricInfo{Name: name, Unit: unitOf(name), LabelZH: name, LabelEN: name}
}

// unitOf reads the unit from the suffix of a name.
func unitOf(name string) string {
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
