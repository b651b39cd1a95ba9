package registry

import (
	"cmp"
	"time"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
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
	ReportInterval time.Duration   `json:"-"`                  // 0 = the model's or the kind's; CSV report_interval_s
	Model          string          `json:"model,omitempty"`    // of the catalog, or a text
	Address        string          `json:"address,omitempty"`  // how a bridge names it (DevEUI, friendly name); "" = by its id
	Settings       string          `json:"settings,omitempty"` // how it is mounted, "empty_mm=1200;full_mm=200"; see the model
	Place          string          `json:"place,omitempty"`    // Place.ID
	Person         string          `json:"person,omitempty"`   // Person.ID
	OutOfService   bool            `json:"out_of_service,omitempty"`
	HasSecret      bool            `json:"has_secret"`

	expected time.Duration // report interval by the catalog
}

// Interval is how often the device is expected to be heard.
func (d Device) Interval() time.Duration {
	return cmp.Or(d.ReportInterval, d.expected, time.Hour)
}

// In gives the device with what the catalog says of its kind and model where the registry says nothing.
func (d Device) In(c *catalog.Catalog) Device {
	d.expected = c.ReportInterval(d.Kind, d.Power, d.Model)
	return d
}

// fromModel fills kind and power, where they are empty, from the model. The report interval stays empty: Interval follows the
// catalog.
func (d Device) fromModel(c *catalog.Catalog) Device {
	if m, ok := c.Model(d.Model); ok {
		d.Kind, d.Power = cmp.Or(d.Kind, m.Kind), cmp.Or(d.Power, m.Power)
	}
	return d
}

// otherKind reports whether the device is of a model that is of another kind, and that cannot be used as one of this kind.
func (d Device) otherKind(c *catalog.Catalog) bool {
	m, ok := c.Model(d.Model)
	return ok && m.Kind != d.Kind && !c.Suits(m, d.Kind)
}

// maxInterval bounds how rarely a device may report: what is silent for longer is not supervised at all.
const maxInterval = 30 * 24 * time.Hour

// Equal compares what the registry says of two devices.
func (d Device) Equal(o Device) bool {
	samePlace := equalFloat(d.Lat, o.Lat) && equalFloat(d.Lon, o.Lon)
	d.Lat, d.Lon, o.Lat, o.Lon = nil, nil, nil, nil
	d.expected, o.expected = 0, 0
	return samePlace && d == o
}

// sameImport compares what an import can change.
func (d Device) sameImport(o Device) bool {
	d.HasSecret = o.HasSecret
	return d.Equal(o)
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
