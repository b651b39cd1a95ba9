package registry

import (
	"time"

	"watchhouse/telemetry"
)

// Device is one registered device; a safety house is the device of its terminal, a place with a committee as area.
type Device struct {
	ID             string          `json:"id"`
	Kind           telemetry.Kind  `json:"kind"`
	Name           string          `json:"name,omitempty"` // for an elder's button: the place ("洪安小区12号302"), never a person's name
	Area           string          `json:"area,omitempty"` // Area.ID
	Lat            *float64        `json:"lat,omitempty"`  // WGS-84
	Lon            *float64        `json:"lon,omitempty"`
	Gateway        string          `json:"gateway,omitempty"`
	Power          telemetry.Power `json:"power,omitempty"`
	ReportInterval time.Duration   `json:"-"` // 0 = the kind's default; CSV report_interval_s
	Model          string          `json:"model,omitempty"`
	Person         string          `json:"person,omitempty"` // Person.ID
	OutOfService   bool            `json:"out_of_service,omitempty"`
	HasSecret      bool            `json:"has_secret"`
}

// Interval is ReportInterval or the kind's default.
func (d Device) Interval() time.Duration {
	if d.ReportInterval > 0 {
		return d.ReportInterval
	}
	return telemetry.DefaultReportInterval(d.Kind, d.Power)
}

// maxInterval bounds how rarely a device may report: what is silent for longer is not supervised at all.
const maxInterval = 30 * 24 * time.Hour

// equal compares what an import can change.
func (d Device) equal(o Device) bool {
	samePlace := equalFloat(d.Lat, o.Lat) && equalFloat(d.Lon, o.Lon)
	d.Lat, d.Lon, o.Lat, o.Lon = nil, nil, nil, nil
	d.HasSecret = o.HasSecret
	return samePlace && d == o
}

func equalFloat(a, b *float64) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// deviceRecord is a device as it is kept.
type deviceRecord struct {
	Device
	IntervalS int64 `json:"report_interval_s,omitempty"`
}

func recordOf(d Device) *deviceRecord {
	return &deviceRecord{Device: d, IntervalS: int64(d.ReportInterval / time.Second)}
}

// device gives the device, a zero one for no record.
func (r *deviceRecord) device() Device {
	if r == nil {
		return Device{}
	}
	d := r.Device
	d.ReportInterval = time.Duration(r.IntervalS) * time.Second
	return d
}
