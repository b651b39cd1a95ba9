package profile_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
	"watchhouse/telemetry/profile"
)

// recorded is a message in the shape in which the system sends it, and what it says.
type recorded struct {
	Topic    string          `json:"topic"`
	Model    string          `json:"model"`
	Address  string          `json:"address"` // "" = the DevEUI of the ChirpStack messages
	Settings string          `json:"settings"`
	Payload  json.RawMessage `json:"payload"`
	Text     string          `json:"text"` // in place of payload: what is not JSON, or not to be varied
	Raw      bool            `json:"raw"`
	Want     said            `json:"want"`
}

// said is a Content as it is written in a test.
type said struct {
	Identity string    `json:"identity,omitempty"`
	Events   []event   `json:"events,omitempty"`
	Levels   []level   `json:"levels,omitempty"`
	Readings []reading `json:"readings,omitempty"`
	Online   *bool     `json:"online,omitempty"`
	Unread   *string   `json:"unread,omitempty"` // the field
	Faults   []string  `json:"faults,omitempty"` // the fields
}

type event struct {
	Type string `json:"type"`
	TS   *int64 `json:"ts,omitempty"`
}

type level struct {
	Field string `json:"field"`
	Type  string `json:"type"`
	On    bool   `json:"on"`
}

type reading struct {
	TS      *int64             `json:"ts,omitempty"`
	Metrics map[string]float64 `json:"metrics"`
}

func saidOf(c profile.Content, err error) said {
	s := said{Identity: c.Identity, Online: c.Online}
	for _, e := range c.Events {
		s.Events = append(s.Events, event{e.Type, e.TS})
	}
	for _, l := range c.Levels {
		s.Levels = append(s.Levels, level{l.Field, l.Type, l.On})
	}
	for _, r := range c.Readings {
		m := map[string]float64{}
		for _, metric := range r.Metrics {
			m[metric.Name] = metric.Value
		}
		s.Readings = append(s.Readings, reading{r.TS, m})
	}
	if c.Unread != nil {
		s.Unread = &c.Unread.Field
	}
	if faults, ok := errors.AsType[telemetry.FieldErrors](err); ok {
		for _, f := range faults {
			s.Faults = append(s.Faults, f.Field)
		}
	}
	return s
}

func shipped(tb testing.TB) *catalog.Catalog {
	tb.Helper()
	c, err := catalog.Shipped()
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// reader finds the envelope of the topic and checks the address in it.
func (r recorded) reader(tb testing.TB) profile.Reader {
	tb.Helper()
	c := shipped(tb)
	m, ok := c.Model(r.Model)
	if !ok {
		tb.Fatalf("no model %s", r.Model)
	}
	want := r.Address
	if want == "" && m.Profile == "chirpstack" {
		want = "24e124535b316056"
	}
	mount, _ := m.Mapping().Mount(r.Settings)
	for match := range c.Matches(r.Topic) {
		if match.Address != want || match.Profile.ID != m.Profile {
			continue
		}
		reader := profile.Reader{Envelope: match.Envelope, Mount: mount, Field: match.Field}
		if match.Envelope.Carries() == profile.CarriesModel {
			reader.Model = m.Mapping()
		}
		return reader
	}
	tb.Fatalf("%s has no address %q in profile %s", r.Topic, want, m.Profile)
	return profile.Reader{}
}

func (r recorded) bytes() []byte {
	if r.Raw {
		return []byte(r.Text)
	}
	return r.Payload
}

func eachRecorded(tb testing.TB, pattern string, do func(name string, r recorded)) {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern, "*.json"))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded messages: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var r recorded
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		if err := d.Decode(&r); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		do(strings.TrimPrefix(strings.TrimSuffix(file, ".json"), "testdata/"), r)
	}
}

// Each recorded message says exactly this, and so do its variants: a bridge's numbers may be texts, its booleans words, proto3 leaves
// out zeros, and firmware adds a byte order mark, NULs, nulls and fields that nobody knows.
func TestRecordedMessages(t *testing.T) {
	eachRecorded(t, "*", func(name string, r recorded) {
		t.Run(name, func(t *testing.T) {
			for variant, payload := range variants(t, name, r) {
				got := saidOf(r.reader(t).Read(payload))
				if diff := cmp.Diff(r.Want, got); diff != "" {
					t.Errorf("%s\n%s:\n-want +got\n%s", variant, payload, diff)
				}
			}
		})
	})
}

func variants(t *testing.T, name string, r recorded) map[string][]byte {
	if r.Raw {
		return map[string][]byte{"as recorded": r.bytes()}
	}
	vary := func(f func(path string, v any) (any, bool)) []byte {
		var tree any
		d := json.NewDecoder(bytes.NewReader(r.Payload))
		d.UseNumber()
		if err := d.Decode(&tree); err != nil {
			t.Fatal(err)
		}
		tree, _ = change("", tree, f)
		text, err := json.Marshal(tree)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	all := map[string][]byte{
		"as recorded":        r.Payload,
		"numbers as texts":   vary(numbersAsTexts),
		"booleans as words":  vary(booleansAsWords),
		"nulls and unknowns": vary(withUnknowns),
		"with a mark":        append([]byte("\xef\xbb\xbf"), append(bytes.Clone(r.Payload), 0, 0)...),
	}
	if strings.HasPrefix(name, "chirpstack/") && !strings.HasPrefix(name, "chirpstack/v3-") {
		all["without zeros"] = vary(withoutZeros)
	}
	return all
}

// change walks a tree of JSON; f gives what stands in place of a value, and whether anything does.
func change(path string, v any, f func(path string, v any) (any, bool)) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if next, kept := change(path+"."+name, member, f); kept {
				v[name] = next
			} else {
				delete(v, name)
			}
		}
	case []any:
		for i := range v {
			v[i], _ = change(path+"[]", v[i], f)
		}
	}
	return f(path, v)
}

func numbersAsTexts(_ string, v any) (any, bool) {
	if n, ok := v.(json.Number); ok {
		return n.String(), true
	}
	return v, true
}

func booleansAsWords(_ string, v any) (any, bool) {
	if b, ok := v.(bool); ok {
		return map[bool]string{true: "TRUE", false: " False "}[b], true
	}
	return v, true
}

// withUnknowns adds to every object what says nothing, numbers excepted: a ThingsBoard device's numbers all say something.
func withUnknowns(_ string, v any) (any, bool) {
	if object, ok := v.(map[string]any); ok && len(object) > 0 {
		object["firmware_note"], object["nothing"], object["parts"] = "北", nil, []any{map[string]any{"x": true}}
	}
	return v, true
}

// withoutZeros is what proto3 does to messages; what a codec has made is not one of its messages.
func withoutZeros(path string, v any) (any, bool) {
	if strings.HasPrefix(path, ".object") || slices.Contains([]string{".rxInfo[].snr", ".margin", ".batteryLevel"}, path) {
		return v, true // a reading that is left out is none, and not 0
	}
	n, isNumber := v.(json.Number)
	f, _ := n.Float64()
	return v, !(v == "" || v == false || isNumber && f == 0)
}

// A message that was cut off anywhere is a dead letter with a name, never half a truth about a call.
func TestCutMessagesAreDeadLetters(t *testing.T) {
	eachRecorded(t, "*", func(name string, r recorded) {
		if r.Raw || r.Want.Unread != nil {
			return
		}
		reader := r.reader(t)
		for n := 0; n < len(r.Payload)-1; n += 1 + len(r.Payload)/150 {
			c, err := reader.Read(r.Payload[:n])
			if reader.Envelope.Carries() == profile.CarriesLife {
				continue
			}
			if err == nil || c.Unread == nil || len(c.Events)+len(c.Levels)+len(c.Readings) > 0 {
				t.Fatalf("%s cut after %d bytes says %+v, %v", name, n, c, err)
			}
		}
	})
}

// checkContent holds what must be true of whatever was read.
func checkContent(t *testing.T, c profile.Content, err error) {
	t.Helper()
	var faults telemetry.FieldErrors
	if err != nil && !errors.As(err, &faults) {
		t.Fatalf("the error is %T", err)
	}
	if (c.Unread != nil) && err == nil || len(faults) > 16 {
		t.Fatalf("unread %v with %d faults", c.Unread, len(faults))
	}
	for _, f := range faults {
		if f.Want == "" || f.Got == "" || len(f.Field) > 128 {
			t.Fatalf("a fault says %+v", *f)
		}
	}
	if len(c.Identity) > 128 {
		t.Fatalf("identity of %d bytes", len(c.Identity))
	}
	for _, e := range c.Events {
		if e.Type == "" || len(e.Type) > 64 {
			t.Fatalf("an event of type %q", e.Type)
		}
	}
	for _, r := range c.Readings {
		before := ""
		for _, m := range r.Metrics {
			if m.Name <= before || !telemetry.ValidMetric(m.Name) || math.IsNaN(m.Value) || math.IsInf(m.Value, 0) {
				t.Fatalf("metric %s of %v after %q", m.Name, m.Value, before)
			}
			before = m.Name
		}
	}
}

// The neighbours of each message, a few bytes away from it: each says something sound, or is a dead letter with a name.
func TestNeighboursOfRecordedMessages(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	eachRecorded(t, "*", func(name string, r recorded) {
		reader := r.reader(t)
		for range 150 {
			payload := neighbour(rng, r.bytes())
			content, err := reader.Read(payload)
			checkContent(t, content, err)
			if err == nil && content.Unread != nil {
				t.Fatalf("%s: %q is unread without a fault", name, payload)
			}
		}
	})
}

func neighbour(rng *rand.Rand, p []byte) []byte {
	p = bytes.Clone(p)
	for range 1 + rng.IntN(3) {
		if len(p) == 0 {
			return append(p, byte(rng.Uint32()))
		}
		at := rng.IntN(len(p))
		switch rng.IntN(4) {
		case 0:
			p[at] ^= 1 << rng.IntN(8)
		case 1:
			p = slices.Delete(p, at, min(len(p), at+1+rng.IntN(8)))
		case 2:
			p = slices.Insert(p, at, p[max(0, at-rng.IntN(12)):at]...)
		default:
			p[at] = `{}[]",:0truenfals-.eE \`[rng.IntN(23)]
		}
	}
	return p
}
