package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

// Catalog is a loaded and checked set of files.
type Catalog struct {
	common  map[string]bool
	kinds   map[telemetry.Kind]*Kind
	order   []telemetry.Kind // of the files
	metrics map[string]Metric
	models  map[string]*Model

	profiles  map[string]*Profile
	envelopes []*profile.Envelope // of all profiles, in the order in which topics are tried
	shipped   int                 // how many of them come with the program, or stand before one that does
	owners    map[*profile.Envelope]*Profile
}

// Title is a name in both languages of the console.
type Title struct {
	ZH string `yaml:"zh" json:"zh"`
	EN string `yaml:"en" json:"en"`
}

// Kind is what a device can be.
type Kind struct {
	ID              telemetry.Kind `yaml:"id"`
	Title           Title          `yaml:"title"`
	Events          []string       `yaml:"events"`  // of its own, besides the common ones
	Metrics         []string       `yaml:"metrics"` // those that a page shows first
	Interval        time.Duration  `yaml:"report_interval"`
	BatteryInterval time.Duration  `yaml:"battery_report_interval"` // 0 = as Interval
}

// Metric describes a number to people. Unit is as shown ("%", "kg", "°C"), "" for a yes or no.
type Metric struct {
	Name string `yaml:"name"`
	Unit string `yaml:"unit"`
	ZH   string `yaml:"zh"`
	EN   string `yaml:"en"`
}

// Model is a device that can be bought: what a registered device of that model has unless the registry says otherwise.
type Model struct {
	ID       string          `yaml:"id"`
	Title    Title           `yaml:"title"`
	Kind     telemetry.Kind  `yaml:"kind"`
	Power    telemetry.Power `yaml:"power"`
	Interval time.Duration   `yaml:"report_interval"`
	Profile  string          `yaml:"profile"` // of the messages it sends, "" = wh/v1
	As       string          `yaml:"as"`      // a model before it that is the same device, but for its profile

	profile.ModelSpec `yaml:",inline"`

	mapping *profile.Model
}

// fallbackInterval is that of a kind in no file.
const fallbackInterval = time.Hour

// Kind gives a kind by id.
func (c *Catalog) Kind(id telemetry.Kind) (Kind, bool) {
	k, ok := c.kinds[id]
	if !ok {
		return Kind{}, false
	}
	return *k, true
}

// Kinds lists the kinds in the order of the files.
func (c *Catalog) Kinds() []Kind {
	list := make([]Kind, 0, len(c.order))
	for _, id := range c.order {
		list = append(list, *c.kinds[id])
	}
	return list
}

// CommonEvents lists the event types of every kind.
func (c *Catalog) CommonEvents() []string { return slices.Sorted(maps.Keys(c.common)) }

// KnownEvent reports whether typ is in the vocabulary of the kind. It allocates nothing.
func (c *Catalog) KnownEvent(id telemetry.Kind, typ string) bool {
	if c.common[typ] {
		return true
	}
	k, ok := c.kinds[id]
	return ok && slices.Contains(k.Events, typ)
}

// ReportInterval is how often a device is expected to be heard when the registry has no interval for it: the model's, else the
// kind's.
func (c *Catalog) ReportInterval(id telemetry.Kind, p telemetry.Power, model string) time.Duration {
	if m, ok := c.models[model]; ok && m.Interval > 0 {
		return m.Interval
	}
	k, ok := c.kinds[id]
	switch {
	case !ok:
		return fallbackInterval
	case p == telemetry.Battery && k.BatteryInterval > 0:
		return k.BatteryInterval
	}
	return cmp.Or(k.Interval, fallbackInterval)
}

// Metric describes a metric; one in no file is labelled with its name, its unit read off the name's suffix.
func (c *Catalog) Metric(name string) Metric {
	if m, ok := c.metrics[name]; ok {
		return m
	}
	return Metric{Name: name, Unit: telemetry.UnitOf(name), ZH: name, EN: name}
}

// Metrics lists the metrics by name.
func (c *Catalog) Metrics() []Metric {
	return slices.SortedFunc(maps.Values(c.metrics), func(a, b Metric) int { return strings.Compare(a.Name, b.Name) })
}

// Model gives a model by id.
func (c *Catalog) Model(id string) (*Model, bool) {
	m, ok := c.models[id]
	return m, ok
}

// Models lists the models by id.
func (c *Catalog) Models() []*Model {
	return slices.SortedFunc(maps.Values(c.models), func(a, b *Model) int { return strings.Compare(a.ID, b.ID) })
}
