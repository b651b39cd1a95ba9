package live

import (
	"encoding/json"
	"maps"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// DeviceState is a device as the console shows it. Values are immutable; its Metrics must not be changed.
type DeviceState struct {
	ID           string             `json:"id"`
	Kind         telemetry.Kind     `json:"kind" doc:"Open vocabulary: emergency_button, safety_house, sorting_point, recyclables_point, garage, gateway."`
	Name         string             `json:"name" doc:"The place, never a person's name."`
	Area         string             `json:"area"`
	Person       string             `json:"person" doc:"Id of the person it belongs to, for GET /people/{id}."`
	Lat          *float64           `json:"lat" doc:"WGS-84."`
	Lon          *float64           `json:"lon" doc:"WGS-84."`
	Power        telemetry.Power    `json:"power" doc:"mains or battery."`
	Gateway      string             `json:"gateway"`
	Model        string             `json:"model" doc:"A model of GET /catalog, or another text."`
	Address      string             `json:"address" doc:"How a bridge names the device (DevEUI, friendly name); empty = by its id."`
	Place        string             `json:"place" doc:"Id of the place it stands at, for GET /places/{id}."`
	IntervalS    int64              `json:"interval_s" doc:"A message is expected at least this often."`
	Online       *bool              `json:"online" doc:"null = not known."`
	LastSeen     int64              `json:"last_seen" doc:"Receive time of the last message, Unix ms; 0 = never."`
	Silent       bool               `json:"silent" doc:"Heard before, but not within its interval and a tolerance."`
	OutOfService bool               `json:"out_of_service"`
	Metrics      map[string]float64 `json:"metrics" doc:"Newest value by metric name; the unit is the name's suffix."`
	MetricsAt    int64              `json:"metrics_at" doc:"Time of the newest reading, Unix ms; 0 = none."`
	Refused      *Refusal           `json:"refused,omitempty" doc:"It knows its secret and is not let in all the same; absent once it is."`
	V            int64              `json:"v" doc:"Grows with each change of this device."`
}

// Refusal is why a device that knows its secret cannot sign in.
type Refusal struct {
	ClientID string `json:"client_id" doc:"The client id it came with, printable and shortened."`
	Reason   string `json:"reason" doc:"Open vocabulary: client_id, will."`
	At       int64  `json:"at" doc:"Unix ms."`
}

// device is the working state behind a DeviceState.
type device struct {
	static    DeviceState // of the registry
	online    *bool
	conns     map[uint64]struct{} // connections that are up
	via       string              // the bridge that spoke for it last
	cut       bool                // that bridge is gone
	refused   *Refusal
	lastSeen  int64
	silent    bool
	metrics   map[string]float64
	metricsAt int64
	pending   []reading // newest at the end
	dirty     bool
	shown     DeviceState
	frame     json.RawMessage
}

// reading is a telemetry payload that is not decoded yet.
type reading struct {
	payload    []byte
	receivedNS int64
	origin     *registry.Origin // of a profile's message, nil for wh/v1
}

// readings decodes what can be read; the rest is the ingest worker's to report.
func (r *reading) readings() []telemetry.Reading {
	if r.origin != nil {
		c, _ := r.origin.Read(r.payload)
		return c.Readings
	}
	list, _ := telemetry.DecodeTelemetry(r.payload) // with an error, what could be read is kept, as in the history
	return list
}

// maxPending is how many payloads of a device are decoded per interval: enough for one that sends its metrics apart.
const maxPending = 8

func staticOf(d registry.Device) DeviceState {
	return DeviceState{
		ID: d.ID, Kind: d.Kind, Name: d.Name, Area: d.Area, Person: d.Person, Lat: d.Lat, Lon: d.Lon,
		Power: d.Power, Gateway: d.Gateway, Model: d.Model, Address: d.Address, Place: d.Place,
		IntervalS: int64(d.Interval().Seconds()), OutOfService: d.OutOfService,
	}
}

// speaks reports whether others may stand behind the device.
func (d *device) speaks() bool {
	return d.static.Kind == telemetry.Gateway || d.static.Kind == telemetry.Bridge
}

func (d *device) seen(receivedNS int64) {
	if ms := receivedNS / 1e6; ms > d.lastSeen {
		d.lastSeen, d.dirty = ms, true
	}
}

func (d *device) setOnline(online *bool) {
	if same(d.online, online) {
		return
	}
	d.online, d.dirty = online, true
}

func (d *device) setRefused(all map[string]Refusal, id string) {
	r, is := all[id]
	switch {
	case is && (d.refused == nil || *d.refused != r):
		d.refused, d.dirty = &r, true
	case !is && d.refused != nil:
		d.refused, d.dirty = nil, true
	}
}

func same(a, b *bool) bool {
	return a == b || a != nil && b != nil && *a == *b
}

func (d *device) add(r reading) {
	if len(d.pending) == maxPending {
		copy(d.pending, d.pending[1:])
		d.pending = d.pending[:maxPending-1]
	}
	d.pending = append(d.pending, r)
	d.dirty = true
}

// decode takes over the pending payloads.
func (d *device) decode() {
	var merged map[string]float64
	for _, p := range d.pending {
		for _, r := range p.readings() {
			if merged == nil {
				merged = make(map[string]float64, len(d.metrics)+len(r.Metrics))
				maps.Copy(merged, d.metrics)
			}
			for _, m := range r.Metrics {
				merged[m.Name] = m.Value
			}
			d.metricsAt, _ = telemetry.EffectiveTime(r.TS, p.receivedNS)
		}
	}
	clear(d.pending)
	d.pending = d.pending[:0]
	if merged != nil {
		d.metrics = merged
	}
}

// isSilent: mains devices get twice their interval, battery ones 2.5 times, and never less than a minute: a lost message
// is no silence.
func (d *device) isSilent(nowMS int64) bool {
	if d.lastSeen == 0 || d.static.OutOfService || d.static.IntervalS == 0 {
		return false
	}
	if d.static.Kind == telemetry.Bridge && d.online != nil && *d.online {
		return false // quiet is not gone
	}
	tolerance := 2 * d.static.IntervalS * 1000
	if d.static.Power == "battery" {
		tolerance = d.static.IntervalS * 2500
	}
	return nowMS-d.lastSeen > max(tolerance, 60_000)
}

// render makes the state to show, with a higher version, and its JSON.
func (d *device) render(nowMS int64) error {
	s := d.static
	s.Online, s.LastSeen, s.Silent, s.Metrics, s.MetricsAt = d.online, d.lastSeen, d.silent, d.metrics, d.metricsAt
	s.Refused = d.refused
	if d.cut && len(d.conns) == 0 {
		s.Online = new(false)
	}
	if s.Metrics == nil {
		s.Metrics = map[string]float64{}
	}
	s.V = max(d.shown.V+1, nowMS)
	frame, err := json.Marshal(s)
	if err != nil {
		return err
	}
	d.shown, d.frame, d.dirty = s, frame, false
	return nil
}
