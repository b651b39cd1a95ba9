package catalog

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"watchhouse/internal/strictyaml"
	"watchhouse/telemetry"
	"watchhouse/telemetry/profile"
)

//go:embed catalog.yaml profiles.yaml
var shipped embed.FS

// shippedSources are the files of the program, in the order in which they are read.
func shippedSources() ([]Source, error) {
	sources := make([]Source, 0, 2)
	for _, name := range []string{"catalog.yaml", "profiles.yaml"} {
		text, err := shipped.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read shipped catalog: %w", err)
		}
		sources = append(sources, Source{name, text})
	}
	return sources, nil
}

// file is the form of the YAML.
type file struct {
	Version  int        `yaml:"version"`
	Events   []string   `yaml:"events"`
	Kinds    []*Kind    `yaml:"kinds"`
	Metrics  []Metric   `yaml:"metrics"`
	Profiles []*Profile `yaml:"profiles"`
	Models   []*Model   `yaml:"models"`
}

// Source is a file and its name in errors.
type Source struct {
	Name string
	Text []byte
}

// Shipped is the catalog without files of the deployment. It is read once: it cannot change.
func Shipped() (*Catalog, error) { return readShipped() }

var readShipped = sync.OnceValues(func() (*Catalog, error) { return Parse() })

// Load adds files to the shipped catalog.
func Load(paths ...string) (*Catalog, error) {
	if len(paths) == 0 {
		return Shipped()
	}
	sources := make([]Source, 0, len(paths))
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read catalog: %w", err)
		}
		sources = append(sources, Source{path, text})
	}
	return Parse(sources...)
}

// Parse adds sources to the shipped catalog. Every fault of every source is told.
func Parse(added ...Source) (*Catalog, error) {
	c := &Catalog{
		common: map[string]bool{}, kinds: map[telemetry.Kind]*Kind{}, metrics: map[string]Metric{}, models: map[string]*Model{},
		profiles: map[string]*Profile{}, owners: map[*profile.Envelope]*Profile{},
	}
	sources, err := shippedSources()
	if err != nil {
		return nil, err
	}
	var faults []error
	for n, s := range append(sources, added...) {
		if n == len(sources) {
			c.shipped = len(c.envelopes)
		}
		faults = append(faults, c.add(s))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.assemble()
	return c, nil
}

// add takes over one file.
func (c *Catalog) add(s Source) error {
	var f file
	source, err := strictyaml.Decode(s.Name, s.Text, &f)
	if err != nil {
		return err
	}
	in := &loader{Source: source, catalog: c}
	if f.Version != 1 {
		in.Fault("$.version", fmt.Sprintf("want version 1, got %d", f.Version))
	}
	for i, typ := range f.Events {
		in.event(fmt.Sprintf("$.events[%d]", i), typ)
	}
	for i, m := range f.Metrics {
		in.metric(fmt.Sprintf("$.metrics[%d]", i), m)
	}
	for i, k := range f.Kinds {
		in.kind(fmt.Sprintf("$.kinds[%d]", i), k)
	}
	for i, p := range f.Profiles {
		in.profile(fmt.Sprintf("$.profiles[%d]", i), p)
	}
	for i, m := range f.Models {
		in.model(fmt.Sprintf("$.models[%d]", i), m)
	}
	return source.Err()
}

// loader checks the entries of one file and takes them into the catalog.
type loader struct {
	*strictyaml.Source
	catalog *Catalog
}

func (l *loader) event(at, typ string) {
	if !validWord(typ) {
		l.Fault(at, "want a word of a to z, 0 to 9 and _")
	}
	l.catalog.common[typ] = true
}

func (l *loader) metric(at string, m Metric) {
	switch _, twice := l.catalog.metrics[m.Name]; {
	case !telemetry.ValidMetric(m.Name):
		l.Fault(at+".name", "want 1 to 64 letters, digits, _, - or ., beginning with a letter")
	case twice:
		l.Fault(at+".name", "metric "+m.Name+" is defined twice")
	case m.ZH == "" || m.EN == "":
		l.Fault(at, "want a label in both languages: zh, en")
	}
	l.catalog.metrics[m.Name] = m
}

func (l *loader) kind(at string, k *Kind) {
	if k == nil {
		l.Fault(at, "want a kind")
		return
	}
	switch _, twice := l.catalog.kinds[k.ID]; {
	case !k.ID.Valid():
		l.Fault(at+".id", "want 1 to 64 of a to z and _")
	case twice:
		l.Fault(at+".id", "kind "+string(k.ID)+" is defined twice")
	default:
		l.catalog.order = append(l.catalog.order, k.ID)
	}
	l.title(at, k.Title)
	l.interval(at+".report_interval", k.Interval)
	l.interval(at+".battery_report_interval", k.BatteryInterval)
	for i, typ := range k.Events {
		if !validWord(typ) {
			l.Fault(fmt.Sprintf("%s.events[%d]", at, i), "want a word of a to z, 0 to 9 and _")
		}
	}
	for i, name := range k.Metrics {
		if _, ok := l.catalog.metrics[name]; !ok {
			l.Fault(fmt.Sprintf("%s.metrics[%d]", at, i), "metric "+name+" is not described under metrics")
		}
	}
	l.catalog.kinds[k.ID] = k
}

func (l *loader) model(at string, m *Model) {
	if m == nil {
		l.Fault(at, "want a model")
		return
	}
	l.inherit(at, m)
	_, twice := l.catalog.models[m.ID]
	_, known := l.catalog.kinds[m.Kind]
	switch {
	case !telemetry.ValidID(m.ID):
		l.Fault(at+".id", "want 1 to 64 letters, digits, _ or -, beginning with a letter or digit")
	case twice:
		l.Fault(at+".id", "model "+m.ID+" is defined twice")
	case !known:
		l.Fault(at+".kind", "kind "+string(m.Kind)+" is not defined")
	case !m.Power.Valid():
		l.Fault(at+".power", "want mains or battery")
	}
	l.title(at, m.Title)
	l.interval(at+".report_interval", m.Interval)
	l.mapping(at, m)
	l.catalog.models[m.ID] = m
}

// inherit takes over what a model is from another one.
func (l *loader) inherit(at string, m *Model) {
	if m.As == "" {
		return
	}
	same, ok := l.catalog.models[m.As]
	switch {
	case !ok:
		l.Fault(at+".as", "model "+m.As+" is not defined before this one")
	case m.Kind != "" || !m.Empty():
		l.Fault(at+".as", "want only id, title, report_interval and profile beside as")
	default:
		m.Kind, m.Power, m.ModelSpec = same.Kind, same.Power, same.ModelSpec
		m.Title.ZH, m.Title.EN = cmp.Or(m.Title.ZH, same.Title.ZH), cmp.Or(m.Title.EN, same.Title.EN)
		m.Interval = cmp.Or(m.Interval, same.Interval)
	}
}

func (l *loader) title(at string, t Title) {
	if t.ZH == "" || t.EN == "" {
		l.Fault(at+".title", "want a title in both languages: {zh: …, en: …}")
	}
}

// longestInterval bounds how rarely a device may report: what is silent for longer is not supervised at all.
const longestInterval = 30 * 24 * time.Hour

func (l *loader) interval(at string, d time.Duration) {
	if d < 0 || d > longestInterval || d%time.Second != 0 {
		l.Fault(at, "want whole seconds up to 30 days")
	}
}

// validWord is the form of an event type.
func validWord(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
