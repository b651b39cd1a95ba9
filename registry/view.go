package registry

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"watchhouse/telemetry"
	"watchhouse/telemetry/catalog"
)

// View is one revision: immutable, free to read from any goroutine. The slices and pointers it gives are shared with other
// callers and must not be changed.
type View struct {
	state    *state
	catalog  *catalog.Catalog
	keys     *keyring
	hasher   *hasher
	changed  chan struct{} // closed when a newer view exists
	devices  func() []Device
	children func() map[string][]Device
	contacts func() []Contact
	locator  *Locator
}

func newView(s *state, c *catalog.Catalog, keys *keyring, h *hasher) *View {
	v := &View{state: s, catalog: c, keys: keys, hasher: h, changed: make(chan struct{})}
	v.devices = sync.OnceValue(v.sortDevices)
	v.children = sync.OnceValue(v.groupByGateway)
	v.locator = newLocator(c, v.Device, v.Devices)
	v.contacts = sync.OnceValue(v.sortContacts)
	v.locator = newLocator(c, v.Device, v.Devices)
	return v
}

// Revision is the number of the last change set, 0 for an empty registry.
func (v *View) Revision() uint64 { return v.state.Revision }

// Device gives a device by id.
func (v *View) Device(id string) (Device, bool) {
	r, ok := v.state.Devices[id]
	if !ok {
		return Device{}, false
	}
	return r.device().In(v.catalog), true
}

// Catalog is what the deployment knows of kinds, metrics and models. It does not change while the process lives.
func (v *View) Catalog() *catalog.Catalog { return v.catalog }

// Devices lists the devices by id.
func (v *View) Devices() []Device { return v.devices() }

// Children lists the devices behind a gateway by id.
func (v *View) Children(gateway string) []Device { return v.children()[gateway] }

// Houses lists the safety houses by id.
func (v *View) Houses() []Device {
	var houses []Device
	for _, d := range v.Devices() {
		if d.Kind == telemetry.SafetyHouse {
			houses = append(houses, d)
		}
	}
	return houses
}

// Area gives an area by id. A device may name an area that is not registered while none is.
func (v *View) Area(id string) (Area, bool) {
	a, ok := v.state.Areas[id]
	return a, ok
}

// Areas lists the areas by id.
func (v *View) Areas() []Area {
	return slices.SortedFunc(maps.Values(v.state.Areas), func(a, b Area) int { return cmp.Compare(a.ID, b.ID) })
}

// Person gives what a list may show of a person.
func (v *View) Person(id string) (Person, bool) {
	box, ok := v.state.Persons[id]
	if !ok {
		return Person{}, false
	}
	p := Person{ID: id}
	if personal, err := unseal[Personal](v.keys, personOwner(id), box); err == nil { // without the key a list shows the id; Reveal and KeyProblem say why
		p.MaskedName, p.MaskedPhone = maskName(personal.Name), maskPhone(personal.Phone)
	}
	return p, true
}

// Persons lists the ids of the people.
func (v *View) Persons() []string { return slices.Sorted(maps.Keys(v.state.Persons)) }

// User gives a user by name.
func (v *View) User(name string) (User, bool) {
	u, ok := v.state.Users[name]
	return u.User, ok
}

// Users lists the users by name.
func (v *View) Users() []User {
	users := make([]User, 0, len(v.state.Users))
	for _, name := range slices.Sorted(maps.Keys(v.state.Users)) {
		users = append(users, v.state.Users[name].User)
	}
	return users
}

// Tokens lists a user's bearer tokens by name.
func (v *View) Tokens(user string) []TokenInfo {
	var tokens []TokenInfo
	for _, t := range v.state.Tokens {
		if t.User == user {
			tokens = append(tokens, t)
		}
	}
	slices.SortFunc(tokens, func(a, b TokenInfo) int { return cmp.Compare(a.Name, b.Name) })
	return tokens
}

// Access lists the bridge and observer accounts with their grants.
func (v *View) Access() map[string][]Grant { return maps.Clone(v.state.Access) }

func (v *View) sortDevices() []Device {
	devices := make([]Device, 0, len(v.state.Devices))
	for _, r := range v.state.Devices {
		devices = append(devices, r.device().In(v.catalog))
	}
	slices.SortFunc(devices, func(a, b Device) int { return cmp.Compare(a.ID, b.ID) })
	return devices
}

func (v *View) groupByGateway() map[string][]Device {
	groups := map[string][]Device{}
	for _, d := range v.Devices() {
		if d.Gateway != "" {
			groups[d.Gateway] = append(groups[d.Gateway], d)
		}
	}
	return groups
}
