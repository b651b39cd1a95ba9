package dashboard

import (
	"encoding/json"

	"watchhouse/telemetry/catalog"
)

// Catalog is what the deployment knows of kinds, metrics and models; all three are open vocabularies.
type Catalog struct {
	Events  []string        `json:"events" doc:"Event types of every kind."`
	Kinds   []CatalogKind   `json:"kinds"`
	Metrics []CatalogMetric `json:"metrics"`
	Models  []CatalogModel  `json:"models"`
}

// CatalogKind is what a device can be.
type CatalogKind struct {
	ID              string        `json:"id"`
	Title           catalog.Title `json:"title"`
	Metrics         []string      `json:"metrics" doc:"Those to show first."`
	Events          []string      `json:"events" doc:"Event types of its own."`
	ReportIntervalS int64         `json:"report_interval_s"`
}

// CatalogMetric describes a number.
type CatalogMetric struct {
	Name string `json:"name"`
	Unit string `json:"unit" doc:"As shown; empty for a yes or no."`
	ZH   string `json:"zh"`
	EN   string `json:"en"`
}

// CatalogModel is a device that can be bought.
type CatalogModel struct {
	ID              string        `json:"id"`
	Title           catalog.Title `json:"title"`
	Kind            string        `json:"kind"`
	Power           string        `json:"power" doc:"mains, battery or empty."`
	ReportIntervalS int64         `json:"report_interval_s" doc:"0 = that of the kind."`
	Profile         string        `json:"profile" doc:"How its messages are read; empty = they are those of wh/v1."`
}

// Registration is what the registry says of a device.
type Registration struct {
	ID              string   `json:"id"`
	Kind            string   `json:"kind"`
	Name            string   `json:"name"`
	Area            string   `json:"area"`
	Lat             *float64 `json:"lat" doc:"WGS-84."`
	Lon             *float64 `json:"lon" doc:"WGS-84."`
	Gateway         string   `json:"gateway"`
	Power           string   `json:"power"`
	ReportIntervalS int64    `json:"report_interval_s" doc:"0 = that of the model or the kind."`
	Model           string   `json:"model"`
	Address         string   `json:"address"`
	Settings        string   `json:"settings"`
	Place           string   `json:"place"`
	Person          string   `json:"person" doc:"Id of a person."`
	OutOfService    bool     `json:"out_of_service"`
	HasSecret       bool     `json:"has_secret"`
	Children        []string `json:"children" doc:"Of a gateway: the devices behind it."`
}

// DeviceFields are all fields of a registration that can be set; what is absent is empty.
type DeviceFields struct {
	Kind            string   `json:"kind,omitempty" doc:"Empty = that of the model."`
	Name            string   `json:"name,omitempty" doc:"The place, never a person's name."`
	Area            string   `json:"area,omitempty"`
	Lat             *float64 `json:"lat,omitempty" nullable:"true" doc:"WGS-84; both or neither."`
	Lon             *float64 `json:"lon,omitempty" nullable:"true"`
	Gateway         string   `json:"gateway,omitempty" doc:"A device of kind gateway."`
	Power           string   `json:"power,omitempty" doc:"mains or battery; empty = that of the model."`
	ReportIntervalS int64    `json:"report_interval_s,omitempty" doc:"1 to 2592000; 0 = that of the model or the kind."`
	Model           string   `json:"model,omitempty"`
	Address         string   `json:"address,omitempty" doc:"How a bridge names the device; empty = by its id."`
	Settings        string   `json:"settings,omitempty" doc:"How it is mounted: empty_mm=1200;full_mm=200."`
	Place           string   `json:"place,omitempty"`
	Person          string   `json:"person,omitempty" doc:"Id of a person."`
	OutOfService    bool     `json:"out_of_service,omitempty"`
	Secret          string   `json:"secret,omitempty" doc:"8 to 256 bytes, or generate; empty = keep, for a new device generate."`
}

// NewDevice is a registration to make.
type NewDevice struct {
	ID string `json:"id"`
	DeviceFields
}

// RegisteredDevice is a registration after a change.
type RegisteredDevice struct {
	Device Registration `json:"device"`
	Secret string       `json:"secret" doc:"Only when the hub generated one: it is shown only now."`
}

// RenewedSecret is a new secret.
type RenewedSecret struct {
	Secret string `json:"secret" doc:"Shown only now."`
}

// ImportResult is what an import did; rows equal to what is registered count for nothing.
type ImportResult struct {
	Added   int               `json:"added"`
	Changed int               `json:"changed"`
	Secrets map[string]string `json:"secrets" doc:"Generated, by id of the device; shown only now."`
}

// AreaMap is a GeoJSON FeatureCollection (RFC 7946) of the residential committees, in WGS-84.
type AreaMap struct {
	Type     string        `json:"type" enum:"FeatureCollection"`
	Features []AreaFeature `json:"features"`
}

// AreaFeature is the border of a residential committee.
type AreaFeature struct {
	Type       string          `json:"type" enum:"Feature"`
	ID         string          `json:"id"`
	Properties Area            `json:"properties"`
	Geometry   json.RawMessage `json:"geometry" doc:"Polygon or MultiPolygon."`
}

// Place is a site where devices stand.
type Place struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Area  string   `json:"area"`
	Lat   *float64 `json:"lat" doc:"WGS-84."`
	Lon   *float64 `json:"lon"`
	Hours string   `json:"hours" doc:"Opening hours, Shanghai time: 05:30-20:30;… ; empty = always open."`
	Open  bool     `json:"open" doc:"Whether it is open now."`
}

// PlaceFields are all fields of a place that can be set; what is absent is empty.
type PlaceFields struct {
	Name  string   `json:"name"`
	Area  string   `json:"area,omitempty"`
	Lat   *float64 `json:"lat,omitempty" nullable:"true" doc:"WGS-84; both or neither."`
	Lon   *float64 `json:"lon,omitempty" nullable:"true"`
	Hours string   `json:"hours,omitempty" doc:"HH:MM-HH:MM, several with ; between; may go past midnight."`
}

// Contact is who gets the orders of a duty, masked.
type Contact struct {
	ID          string   `json:"id"`
	Duty        string   `json:"duty" enum:"sanitation,tech,fire,duty"`
	Areas       []string `json:"areas" doc:"None = everywhere."`
	MaskedName  string   `json:"masked_name"`
	MaskedPhone string   `json:"masked_phone"`
	Webhook     string   `json:"webhook" doc:"May hold a key: empty unless the role may change devices."`
}

// ContactFields are all fields of a contact that can be set; what is absent is empty, but for name and phone.
type ContactFields struct {
	Duty    string   `json:"duty" enum:"sanitation,tech,fire,duty"`
	Areas   []string `json:"areas,omitempty" doc:"None = everywhere."`
	Webhook string   `json:"webhook,omitempty" doc:"http or https URL that orders are posted to."`
	Name    *string  `json:"name,omitempty" doc:"Sealed. Absent together with phone = as it is: who may change contacts need not be able to read them."`
	Phone   *string  `json:"phone,omitempty" doc:"Sealed."`
}

// RevealedReach is how to reach a contact; each reading of it is audited.
type RevealedReach struct {
	Name  string `json:"name"`
	Phone string `json:"phone"`
}

// RevealReason is why personal data is needed.
type RevealReason struct {
	Incident string `json:"incident,omitempty" maxLength:"64" doc:"The incident it is needed for."`
	Reason   string `json:"reason,omitempty" maxLength:"200"`
}
