package alerts

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// t0 is when the tests' day begins, Unix ms.
const t0 = int64(1_763_888_888_000)

// fakeWorld is a revision of a registry.
type fakeWorld struct {
	revision uint64
	devices  map[string]registry.Device
	bridges  []string
	places   map[string]registry.Place
	contacts []registry.Contact
	catalog  *catalog.Catalog
}

func (w *fakeWorld) Place(id string) (registry.Place, bool) { p, ok := w.places[id]; return p, ok }

func (w *fakeWorld) Contact(duty, _ string) (registry.Contact, bool) {
	for _, c := range w.contacts {
		if c.Duty == duty {
			return c, true
		}
	}
	return registry.Contact{}, false
}

func (w *fakeWorld) Catalog() *catalog.Catalog { return w.catalog }

func (w *fakeWorld) Revision() uint64 { return w.revision }

func (w *fakeWorld) Device(id string) (registry.Device, bool) {
	d, ok := w.devices[id]
	return d.In(w.catalog), ok
}

func (w *fakeWorld) Bridge(id string) (registry.Device, bool) {
	if !slices.Contains(w.bridges, id) {
		return registry.Device{}, false
	}
	return registry.Device{ID: id, Kind: telemetry.Bridge, Power: telemetry.Mains}.In(w.catalog), true
}

func (w *fakeWorld) Bridges() []registry.Device {
	list := []registry.Device{}
	for _, id := range w.bridges {
		d, _ := w.Bridge(id)
		list = append(list, d)
	}
	return list
}

func (w *fakeWorld) BridgeState(topic string, payload []byte) (online, ok bool) {
	return registry.NewLocator(w.catalog, nil).BridgeState(topic, payload)
}

func (w *fakeWorld) Locate(topic, sender string) (registry.Origin, error) {
	return registry.NewLocator(w.catalog, w.Devices()).Locate(topic, sender)
}

func (w *fakeWorld) Devices() []registry.Device {
	list := []registry.Device{}
	for _, id := range sortedKeys(w.devices) {
		list = append(list, w.devices[id].In(w.catalog))
	}
	return list
}

// newWorld has buttons b1…b3, one on battery, a house, a gateway and a sorting point.
func newWorld() *fakeWorld {
	shipped, err := catalog.Shipped()
	if err != nil {
		panic(err) // its own test says more
	}
	w := &fakeWorld{revision: 7, devices: map[string]registry.Device{}, catalog: shipped}
	for _, d := range []registry.Device{
		{ID: "b1", Kind: telemetry.EmergencyButton, Area: "a1", Person: "p1", Power: telemetry.Mains},
		{ID: "b2", Kind: telemetry.EmergencyButton, Area: "a1", Person: "p2", Power: telemetry.Mains},
		{ID: "b3", Kind: telemetry.EmergencyButton, Area: "a2", Power: telemetry.Battery},
		{ID: "h1", Kind: telemetry.SafetyHouse, Area: "a1"},
		{ID: "gw", Kind: telemetry.Gateway, Area: "a1"},
		{ID: "s1", Kind: telemetry.SortingPoint, Area: "a1"},
	} {
		w.devices[d.ID] = d
	}
	return w
}

var loadShipped = sync.OnceValues(func() (*Rules, error) { return LoadRules("") })

// shippedRules are immutable, so all tests share them.
func shippedRules(tb testing.TB) *Rules {
	tb.Helper()
	r, err := loadShipped()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// desk decides by hand: no lanes, no goroutines. Every step goes through its encoding, and a second book folds what was encoded.
type desk struct {
	tb    testing.TB
	d     *decider
	book  *book
	other *book // folded from the encoded steps only
	world *fakeWorld
	now   int64
	sent  uint64
	all   []Transition
	steps [][]byte
	last  verdict
}

func newDesk(tb testing.TB) *desk {
	tb.Helper()
	return &desk{
		tb: tb, d: &decider{rules: shippedRules(tb), epoch: "epoch", writer: "w"}, book: newBook(), other: newBook(),
		world: newWorld(), now: t0,
	}
}

func (k *desk) apply(s *step) {
	k.tb.Helper()
	if s == nil {
		return
	}
	body, err := s.encode()
	if err != nil {
		k.tb.Fatal(err)
	}
	again, err := decodeStep(body)
	if err != nil {
		k.tb.Fatalf("%v in %s", err, body)
	}
	if err := k.book.apply(k.book.step+1, s); err != nil {
		k.tb.Fatal(err)
	}
	if err := k.other.apply(k.other.step+1, again); err != nil {
		k.tb.Fatal(err)
	}
	k.steps = append(k.steps, body)
	k.all = append(k.all, s.Transitions...)
	k.invariants()
}

// invariants hold after every step, whatever happened.
func (k *desk) invariants() {
	k.tb.Helper()
	if a, b := canonical(k.tb, k.book), canonical(k.tb, k.other); a != b {
		k.tb.Fatalf("live state and fold differ:\n%s\n%s", a, b)
	}
	armed := map[timerID]int64{}
	for id, i := range k.book.incidents {
		for _, d := range i.Deadlines {
			armed[timerID{id, d.Name}] = d.DueAt
		}
		if !i.Open() && len(i.Deadlines) > 0 {
			k.tb.Fatalf("incident %s is %s with clocks %v", id, i.State, i.Deadlines)
		}
		if i.Priority == 1 && i.Open() && i.State != StateResolved && len(i.Deadlines) == 0 {
			k.tb.Fatalf("P1 %s is %s without a clock: %q", id, i.State, k.kinds())
		}
	}
	if fmt.Sprint(armed) != fmt.Sprint(k.book.timers) {
		k.tb.Fatalf("clocks of incidents %v, of the book %v", armed, k.book.timers)
	}
	for key, id := range k.book.answers {
		if _, ok := k.book.incidents[id]; !ok {
			k.tb.Fatalf("key %s is answered by forgotten %s", key, id)
		}
	}
}

func canonical(tb testing.TB, b *book) string {
	tb.Helper()
	data, err := b.freeze("epoch", "").encode()
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// message makes the next entry of the event lane at the desk's time.
func (k *desk) message(topic, payload string) journal.Entry {
	k.sent++
	t, err := telemetry.ParseTopic(topic)
	device := t.Device
	if err == nil && t.Gateway != "" {
		device = t.Gateway
	}
	return journal.Entry{
		Message: journal.Message{
			Kind: journal.Publish, ReceivedNS: k.now * int64(time.Millisecond), Device: device, Client: device,
			Topic: topic, QoS: 1, Payload: []byte(payload),
		},
		ID:  k.sent,
		Pos: journal.Position{Frame: k.sent}, Next: journal.Position{Frame: k.sent, Index: 1},
	}
}

func (k *desk) receive(e journal.Entry) {
	k.tb.Helper()
	s, v := k.d.decideEvent(k.book, k.world, e, k.now, cursors{Event: cursor{Pos: e.Next.String(), NS: e.ReceivedNS}})
	k.last = v
	k.apply(s)
}

// event receives a payload from a device on its own connection.
func (k *desk) event(device, payload string) {
	k.tb.Helper()
	k.receive(k.message("wh/v1/"+device+"/event", payload))
}

// pass lets time go by, a second at a time, firing what is due.
func (k *desk) pass(d time.Duration) {
	k.tb.Helper()
	for end := k.now + d.Milliseconds(); k.now < end; {
		k.now = min(k.now+1000, end)
		k.fire()
	}
}

// sleep lets time go by while the hub is down.
func (k *desk) sleep(d time.Duration) { k.now += d.Milliseconds() }

func (k *desk) fire() {
	k.tb.Helper()
	q := clockQueue{}
	q.rebuild(k.book)
	for {
		t, ok := q.pop(k.book, k.now)
		if !ok {
			return
		}
		k.apply(k.d.decideTimers(k.book, k.world, t.Incident, k.now, k.book.cursors))
	}
}

func (k *desk) do(c Command) (*Incident, error) {
	k.tb.Helper()
	if c.Actor == "" {
		c.Actor = "ann"
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	s, res, err := k.d.decideCommand(k.book, k.world, c, k.now, k.book.cursors)
	k.apply(s)
	return res.Incident, err
}

// must runs a command on the current version that has to succeed.
func (k *desk) must(c Command) *Incident {
	k.tb.Helper()
	if i, ok := k.book.incidents[c.Incident]; ok && c.IfVersion == nil {
		c.IfVersion = &i.Version
	}
	i, err := k.do(c)
	if err != nil {
		k.tb.Fatalf("%s: %v", c.Action, err)
	}
	return i
}

func (k *desk) silence(rule, device string, back bool) {
	k.tb.Helper()
	f := []silence{{rule: k.d.rules.byID[rule], device: k.world.devices[device], at: k.now, back: back, reason: "test"}}
	k.apply(k.d.decideSilences(k.book, k.world, f, k.now, k.book.cursors))
}

// incidents of a device, oldest first.
func (k *desk) incidents(device string) []*Incident {
	list := []*Incident{}
	for _, id := range sortedKeys(k.book.incidents) {
		if i := k.book.incidents[id]; i.Device == device {
			list = append(list, i)
		}
	}
	return list
}

// one is the only incident there is for a device.
func (k *desk) one(device string) *Incident {
	k.tb.Helper()
	list := k.incidents(device)
	if len(list) != 1 {
		text, _ := json.Marshal(list)
		k.tb.Fatalf("%d incidents for %s: %s", len(list), device, text)
	}
	return list[0]
}

// kinds of all transitions so far, with the text of escalations.
func (k *desk) kinds() []string {
	list := []string{}
	for _, t := range k.all {
		if t.Kind == KindEscalated || t.Kind == KindSkipped {
			list = append(list, t.Kind+" "+t.Text)
			continue
		}
		list = append(list, t.Kind)
	}
	return list
}

func (k *desk) wantKinds(want ...string) {
	k.tb.Helper()
	if got := k.kinds(); !slices.Equal(got, want) {
		k.tb.Fatalf("transitions %q, want %q", got, want)
	}
}
