package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

func encodeState(tb fataler, r *Registry) string {
	tb.Helper()
	text, err := json.Marshal(r.View().state)
	check(tb, err)
	return string(text)
}

// editor makes random edits, right ones and refused ones, on a few ids, so that they meet.
type editor struct {
	t     *rapid.T
	r     *Registry
	ctx   context.Context
	chain *memChain
}

func (e *editor) pick(names ...string) string { return rapid.SampledFrom(names).Draw(e.t, "pick") }

func (e *editor) device() Device {
	d := Device{ID: e.pick("a", "b", "c", "gw"), Kind: telemetry.Kind(e.pick("emergency_button", "gateway", "safety_house"))}
	d.Gateway = e.pick("", "", "gw", "a")
	d.Area = e.pick("", "area-1", "area-2")
	d.Person = e.pick("", "", "p1")
	d.Place = e.pick("", "", "place-1", "place-2")
	d.Name = e.pick("", "洪安小区12号302", "<b>&\u2028", "-1")
	d.ReportInterval = time.Duration(rapid.IntRange(-1, 3).Draw(e.t, "interval")) * time.Second
	if rapid.Bool().Draw(e.t, "placed") {
		lat, lon := rapid.Float64Range(-91, 91).Draw(e.t, "lat"), rapid.Float64Range(-180, 180).Draw(e.t, "lon")
		d.Lat, d.Lon = &lat, &lon
	}
	return d
}

func (e *editor) devices(*rapid.T) {
	d := e.device()
	_, _ = e.r.PutDevices(e.ctx, "t", []Device{d, e.device()}, map[string]string{d.ID: e.pick("", GenerateSecret, "12345678", "short")})
}

func (e *editor) edits(*rapid.T) {
	_, _ = e.r.AddDevice(e.ctx, "t", e.device(), e.pick("", "12345678", "short"))
	_, _ = e.r.ReplaceDevice(e.ctx, "t", e.device(), e.pick("", "12345678", GenerateSecret))
	_, _ = e.r.RenewSecret(e.ctx, "t", e.pick("a", "b", "gw"))
}

func (e *editor) deletions(*rapid.T) {
	id := e.pick("a", "b", "gw", "area-1", "place-1", "p1", "c1", "u1", "obs")
	switch e.pick("device", "area", "place", "person", "contact", "user", "access") {
	case "device":
		_ = e.r.DeleteDevice(e.ctx, "t", id)
	case "area":
		_ = e.r.DeleteArea(e.ctx, "t", id)
	case "place":
		_ = e.r.DeletePlace(e.ctx, "t", id)
	case "contact":
		_ = e.r.DeleteContact(e.ctx, "t", id)
	case "person":
		_ = e.r.DeletePerson(e.ctx, "t", id)
	case "user":
		_ = e.r.DeleteUser(e.ctx, "t", id)
	case "access":
		_ = e.r.DeleteAccess(e.ctx, "t", id)
	}
}

func (e *editor) areas(*rapid.T) {
	boundary := json.RawMessage(e.pick("", `{ "type": "<>" }`, "nonsense"))
	_ = e.r.PutAreas(e.ctx, "t", []Area{{ID: e.pick("area-1", "area-2"), Name: e.pick("居委", "", "x"), Boundary: boundary}})
}

func (e *editor) places(*rapid.T) {
	p := Place{ID: e.pick("place-1", "place-2"), Name: e.pick("投放点", "", "x"), Area: e.pick("", "area-1", "area-2")}
	p.Hours = e.pick("", "05:30-20:30", "22:00-06:00;12:00-13:00", "25:00-26:00")
	_ = e.r.PutPlaces(e.ctx, "t", []Place{p})
}

func (e *editor) contacts(*rapid.T) {
	c := Contact{ID: e.pick("c1", "c2"), Duty: e.pick(DutySanitation, DutyTech, "cook"), Webhook: e.pick("", "http://h/", "h")}
	if rapid.Bool().Draw(e.t, "areas") {
		c.Areas = []string{e.pick("area-1", "area-2")}
	}
	reach := map[string]Reach{}
	if rapid.Bool().Draw(e.t, "reach") {
		reach[c.ID] = Reach{Name: e.pick("李师傅", ""), Phone: e.pick("", "13812341234")}
	}
	_ = e.r.PutContacts(e.ctx, "t", []Contact{c}, reach)
}

func (e *editor) people(*rapid.T) {
	p := Personal{Name: e.pick("王小明", "", "李"), Phone: "13812341234", Contacts: []Relative{{"王芳", "女儿", "13912345678"}}}
	_ = e.r.PutPersons(e.ctx, "t", map[string]Personal{e.pick("p1", "p2"): p})
}

func (e *editor) users(*rapid.T) {
	u := User{Name: e.pick("u1", "u2", "值班员", " "), Role: Role(e.pick("admin", "guard", "none")), House: e.pick("", "a", "b")}
	u.Disabled = rapid.Bool().Draw(e.t, "disabled")
	_ = e.r.PutUser(e.ctx, "t", u, "")
	_ = e.r.DisableUser(e.ctx, "t", e.pick("u1", "u2"), rapid.Bool().Draw(e.t, "bar"))
}

func (e *editor) tokens(*rapid.T) {
	if rapid.Bool().Draw(e.t, "make") {
		_, _ = e.r.NewToken(e.ctx, "t", e.pick("u1", "u2"), e.pick("x", "y"))
		return
	}
	_ = e.r.RevokeToken(e.ctx, "t", e.pick("u1", "u2"), e.pick("x", "y"))
}

func (e *editor) access(*rapid.T) {
	g := []Grant{{Filter: e.pick("wh/v1/#", "a/#/b", "+"), Subscribe: true}}
	_, _ = e.r.PutAccess(e.ctx, "t", e.pick("obs", "a"), g, e.pick("", "12345678", "x"))
}

func (e *editor) csv(*rapid.T) {
	file := "id,kind,name,gateway,person,person_name\n" + e.pick("a", "d", "#") + ",emergency_button," + e.pick("x", "=x") + "," +
		e.pick("", "gw") + "," + e.pick("", "p1", "p3") + "," + e.pick("", "赵六") + "\n"
	_, _ = e.r.ImportCSV(e.ctx, "t", strings.NewReader(file))
	file = "id,name,area,hours\n" + e.pick("place-1", "place-3", "#") + ",x," + e.pick("", "area-1") + "," + e.pick("", "05:30-20:30", "x") + "\n"
	_, _ = e.r.ImportPlaces(e.ctx, "t", strings.NewReader(file))
	file = "id,duty,areas,name\n" + e.pick("c1", "c3") + "," + e.pick("fire", "x") + "," + e.pick("", "area-1;area-2") + "," + e.pick("", "李") + "\n"
	_, _ = e.r.ImportContacts(e.ctx, "t", strings.NewReader(file))
}

// cut fails an append to come, before or after it is stored, and all that follow: as when the process ends, or the disk is full, in
// the middle of a change set of many steps.
func (e *editor) cut(*rapid.T) {
	left, seen := rapid.IntRange(0, 6).Draw(e.t, "appends"), rapid.Bool().Draw(e.t, "stored")
	e.chain.fail = func(stored bool) error {
		if left <= 0 && stored == seen {
			return errDisk
		}
		if stored {
			left--
		}
		return nil
	}
}

// After any edits, whole and cut off, the view in memory, the fold of all change sets and the fold from the snapshot are one and the
// same, and a change set of many steps happened as a whole or not at all.
func TestFoldEqualsLiveView(t *testing.T) {
	keys := newPlace(t)
	rapid.Check(t, func(rt *rapid.T) {
		p := &place{&memChain{id: "c"}, &memShelf{values: map[string][]byte{}}, keys.key}
		size := rapid.SampledFrom([]int{1, 300, partBytes}).Draw(rt, "part")
		reopen := func() *Registry {
			p.chain.fail = nil
			r := p.open(rt)
			r.snapshot.every, r.partBytes = 3, size
			return r
		}
		e := &editor{rt, reopen(), context.Background(), p.chain}
		rt.Repeat(map[string]func(*rapid.T){
			"devices": e.devices, "deletions": e.deletions, "areas": e.areas, "places": e.places, "contacts": e.contacts, "people": e.people, "users": e.users,
			"tokens": e.tokens, "access": e.access, "csv": e.csv, "edits": e.edits, "cut": e.cut,
			"mended": func(*rapid.T) { p.chain.fail = nil },
			"reopen": func(*rapid.T) { e.r = reopen() },
			"": func(rt *rapid.T) {
				live := encodeState(rt, e.r)
				if bare := encodeState(rt, p.openBare(rt)); bare != live {
					rt.Fatalf("fold of the chain differs from the view:\n%s", cmp.Diff(live, bare))
				}
				if snap := encodeState(rt, p.open(rt)); snap != live {
					rt.Fatalf("fold from the snapshot differs from the view:\n%s", cmp.Diff(live, snap))
				}
				checkConsistent(rt, e.r.View())
			},
		})
	})
}

// checkConsistent checks what every revision promises about its references.
func checkConsistent(t *rapid.T, v *View) {
	for _, d := range v.Devices() {
		if gw, ok := v.Device(d.Gateway); d.Gateway != "" && (!ok || gw.Kind != telemetry.Gateway) {
			t.Fatalf("%s is behind %q, which is no gateway", d.ID, d.Gateway)
		}
		if _, ok := v.Person(d.Person); d.Person != "" && !ok {
			t.Fatalf("%s is of person %q, who is not registered", d.ID, d.Person)
		}
		if _, ok := v.state.Access[d.ID]; ok {
			t.Fatalf("%s is a device and an access account", d.ID)
		}
		if _, ok := v.state.Verifiers[d.ID]; ok != d.HasSecret {
			t.Fatalf("%s: has_secret is %v, secret stored: %v", d.ID, d.HasSecret, ok)
		}
	}
	for _, c := range v.Contacts() {
		if c.MaskedName == "" || !slices.Contains(Duties(), c.Duty) {
			t.Fatalf("contact %+v has no name that opens, or no duty", c)
		}
	}
	for id := range v.state.Verifiers {
		_, device := v.Device(id)
		_, account := v.state.Access[id]
		if !device && !account {
			t.Fatalf("secret of %q, which is not registered", id)
		}
	}
	for _, token := range v.state.Tokens {
		if _, ok := v.User(token.User); !ok {
			t.Fatalf("token of user %q, who is gone", token.User)
		}
	}
}

func TestSnapshotIsBelievedOnlyWhenRight(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	r.snapshot.every = 1
	mustPut(t, r, nil, Device{ID: "a", Kind: telemetry.Garage})
	if len(p.shelf.values[snapshotKey]) == 0 {
		t.Fatal("no snapshot was written")
	}
	// A snapshot that tells another story and is whole shows whether it was used at all.
	forged := snapshotWith(t, r, p, func(s *state) { s.Devices["forged"] = &deviceRecord{Device: Device{ID: "forged"}} })
	part := snapshotPart(1)
	for _, tc := range []struct {
		name   string
		change func(values map[string][]byte)
		used   bool
	}{
		{name: "right", used: true},
		{name: "flipped bit", change: func(v map[string][]byte) { v[part] = bytes.Replace(v[part], []byte("forged"), []byte("forgee"), 1) }},
		{name: "cut", change: func(v map[string][]byte) { v[snapshotKey] = v[snapshotKey][:len(v[snapshotKey])/2] }},
		{name: "empty", change: func(v map[string][]byte) { v[snapshotKey] = []byte{} }},
		{name: "a part cut", change: func(v map[string][]byte) { v[part] = v[part][:len(v[part])/2] }},
		{name: "a part lost", change: func(v map[string][]byte) { delete(v, part) }},
		{name: "a part of an older one", change: func(v map[string][]byte) { v[part] = p.shelf.values[part] }},
		{name: "of another chain", change: func(map[string][]byte) { p.chain.id = "chain-2" }},
		{name: "of a chain put back to before it", change: func(map[string][]byte) { p.chain.steps = nil }},
		{name: "of a step that was another", change: func(map[string][]byte) { p.chain.steps[0].Hash[0] ^= 1 }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id, steps := p.chain.id, p.chain.steps
			p.chain.steps = append([]journal.Step{}, steps...)
			defer func() { p.chain.id, p.chain.steps = id, steps }()
			values := maps.Clone(forged)
			if tc.change != nil {
				tc.change(values)
			}
			at := &place{p.chain, &memShelf{values: values}, p.key}
			if _, used := at.open(t).View().Device("forged"); used != tc.used {
				t.Errorf("snapshot used: %v, want %v", used, tc.used)
			}
		})
	}
}

// snapshotWith gives all values of a snapshot that is whole and tells another story.
func snapshotWith(t *testing.T, r *Registry, p *place, change func(*state)) map[string][]byte {
	t.Helper()
	s := r.View().state.clone()
	change(s)
	shelf := &memShelf{values: map[string][]byte{}}
	other := &Registry{chain: p.chain, kv: shelf, snapshot: r.snapshot, partBytes: r.partBytes}
	other.view.Store(newView(s, r.kinds, r.keys, r.View().hasher))
	_, err := other.saveSnapshot(t.Context())
	check(t, err)
	return shelf.values
}

func TestFailedAppendChangesNothing(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	mustPut(t, r, nil, Device{ID: "a", Kind: telemetry.Garage})
	before, changed := r.View(), r.Changed()
	p.chain.fail = func(stored bool) error {
		if stored {
			return nil
		}
		return errDisk
	}
	_, err := r.PutDevices(t.Context(), "t", []Device{{ID: "b", Kind: telemetry.Garage}}, map[string]string{"b": GenerateSecret})
	if !errors.Is(err, errDisk) || r.View() != before {
		t.Errorf("error %v and revision %d, want the disk's error and revision %d", err, r.View().Revision(), before.Revision())
	}
	select {
	case <-changed:
		t.Error("a change was announced that did not happen")
	default:
	}
	p.chain.fail = nil
	mustPut(t, r, nil, Device{ID: "b", Kind: telemetry.Garage})
	select {
	case <-changed:
	default:
		t.Error("a change was not announced")
	}
}

// A time-out may hide that the change was stored. Then the view must have it too, or memory and disk disagree about secrets.
func TestUnknownOutcomeIsFoundOut(t *testing.T) {
	p := newPlace(t)
	r := p.open(t)
	p.chain.fail = func(stored bool) error {
		if stored {
			return errDisk
		}
		return nil
	}
	_, err := r.PutDevices(t.Context(), "t", []Device{{ID: "b", Kind: telemetry.Garage}}, map[string]string{"b": "12345678"})
	if !errors.Is(err, errDisk) {
		t.Fatalf("error %v, want the disk's", err)
	}
	if _, err := r.Authenticate("b", "b", []byte("12345678")); err != nil {
		t.Errorf("the stored device cannot connect: %v", err)
	}
}

func TestTwoWritersOfOneChainTakeTurns(t *testing.T) {
	p := newPlace(t)
	one, two := p.open(t), p.open(t)
	for i := range 6 {
		r := []*Registry{one, two}[i%2]
		mustPut(t, r, nil, Device{ID: fmt.Sprintf("d%d", i), Kind: telemetry.Garage})
	}
	if n := len(two.View().Devices()); n != 6 {
		t.Errorf("the second sees %d devices, want 6", n)
	}
}

func TestOpenRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, body := range map[string]string{
		"newer format":      `{"v":3,"ops":[]}`,
		"newer part":        `{"v":3,"part":1,"ops":[]}`,
		"part of a whole":   `{"v":1,"part":1,"ops":[]}`,
		"unknown operation": `{"v":1,"ops":[{"op":"put_drone"}]}`,
		"missing field":     `{"v":1,"ops":[{"op":"put_device"}]}`,
		"no JSON":           `\x00`,
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			_, err := p.chain.Append(t.Context(), 0, []byte(body))
			check(t, err)
			_, err = open(t.Context(), Config{KeyFile: p.key}, p.chain, p.shelf)
			if err == nil || !strings.Contains(err.Error(), "registry step 1") {
				t.Errorf("error %v, want one that names step 1", err)
			}
		})
	}
}

func TestOpenWantsAKeyFile(t *testing.T) {
	p := newPlace(t)
	if _, err := open(t.Context(), DefaultConfig(), p.chain, p.shelf); err == nil || !strings.Contains(err.Error(), "registry.key_file") {
		t.Errorf("error %v, want one that names registry.key_file", err)
	}
}

func TestChangedClosesForEachWaiter(t *testing.T) {
	p := newPlace(t)
	synctest.Test(t, func(t *testing.T) {
		r := p.open(t)
		seen := make(chan uint64, 2)
		for range 2 {
			go func() {
				<-r.Changed()
				seen <- r.View().Revision()
			}()
		}
		synctest.Wait()
		mustPut(t, r, nil, Device{ID: "a", Kind: telemetry.Garage})
		for range 2 {
			if rev := <-seen; rev != 1 {
				t.Errorf("woken at revision %d, want 1", rev)
			}
		}
	})
}
