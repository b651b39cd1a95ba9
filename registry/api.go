package registry

import (
	"context"
	"errors"
	"io"
	"time"

	"watchhouse/journal"
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
func (d Device) Interval() time.Duration { panic("unwritten") }

// Area is a residential committee (居委).
type Area struct {
	ID, Name, NameEN string
	AutoDispatch     string // on|suggest|off
}

// Person holds sealed personal fields; Masked is what a list may show ("王**", "138****1234").
type Person struct {
	ID          string `json:"id"`
	MaskedName  string `json:"masked_name"`
	MaskedPhone string `json:"masked_phone"`
}

// Personal are the fields that are sealed at rest.
type Personal struct {
	Name     string    `json:"name"`
	Phone    string    `json:"phone"`
	Address  string    `json:"address"`
	Note     string    `json:"note,omitempty"`
	Contacts []Contact `json:"contacts,omitempty"`
}

// Contact of a person, called in order.
type Contact struct {
	Name, Relation, Phone string
}

// Role of a user.
type Role string

// Roles, weakest first: viewer < guard < maintainer < operator < supervisor < admin is NOT an order; see Can.
const (
	Viewer     Role = "viewer"
	Guard      Role = "guard"
	Maintainer Role = "maintainer"
	Operator   Role = "operator"
	Supervisor Role = "supervisor"
	Admin      Role = "admin"
)

// User of the console.
type User struct {
	Name     string `json:"name"`
	Role     Role   `json:"role"`
	House    string `json:"house,omitempty"` // a guard's house
	Disabled bool   `json:"disabled,omitempty"`
}

// Permission names what a role may do; the table is in permissions.go.
type Permission string

// Permissions of the first cut.
const (
	PermView    Permission = "view"    // snapshot, stream, incidents, devices
	PermHandle  Permission = "handle"  // acknowledge, note, resolve…
	PermReview  Permission = "review"  // close, reopen
	PermReveal  Permission = "reveal"  // personal data in clear, audited
	PermDevices Permission = "devices" // change devices
	PermUsers   Permission = "users"
	PermJournal Permission = "journal" // raw messages, rejects
)

// Can reports whether the role has the permission.
func (r Role) Can(p Permission) bool { panic("unwritten") }

// Config of the registry.
type Config struct {
	KeyFile string `yaml:"key_file"` // AEAD key for personal fields, outside the data folder; made (0600) when absent
}

// DefaultConfig has no key file: hub puts it beside --data as DIR.key.
func DefaultConfig() Config { return Config{} }

// Sentinel errors.
var (
	ErrNotFound     = errors.New("registry: not found")
	ErrExists       = errors.New("registry: exists")
	ErrUnauthorized = errors.New("registry: wrong name or secret")
)

// Registry is the fold of its change sets: safe for concurrent use; reads never block.
type Registry struct{}

// Open folds the chain "registry" of j.
func Open(ctx context.Context, cfg Config, j *journal.Journal) (*Registry, error) { panic("unwritten") }

// View is the current immutable state; Changed closes when a newer one exists.
func (r *Registry) View() *View              { panic("unwritten") }
func (r *Registry) Changed() <-chan struct{} { panic("unwritten") }

// View is one revision.
type View struct{}

func (v *View) Revision() uint64                 { panic("unwritten") }
func (v *View) Device(id string) (Device, bool)  { panic("unwritten") }
func (v *View) Devices() []Device                { panic("unwritten") } // by id
func (v *View) Children(gateway string) []Device { panic("unwritten") }
func (v *View) Area(id string) (Area, bool)      { panic("unwritten") }
func (v *View) Areas() []Area                    { panic("unwritten") }
func (v *View) Person(id string) (Person, bool)  { panic("unwritten") }
func (v *View) User(name string) (User, bool)    { panic("unwritten") }
func (v *View) Users() []User                    { panic("unwritten") }

// PutDevices adds or replaces devices in one change set (all or nothing). A non-empty secret in secrets[id] sets it;
// "generate" makes one. The generated ones are returned, shown once, and stored only as HMAC.
func (r *Registry) PutDevices(ctx context.Context, actor string, ds []Device, secrets map[string]string) (generated map[string]string, err error) {
	panic("unwritten")
}

// DeleteDevice, PutArea, PutPerson, PutUser, SetPassword, NewToken, RevokeToken: one change set each.
func (r *Registry) DeleteDevice(ctx context.Context, actor, id string) error    { panic("unwritten") }
func (r *Registry) PutAreas(ctx context.Context, actor string, as []Area) error { panic("unwritten") }
func (r *Registry) PutPersons(ctx context.Context, actor string, ps map[string]Personal) error {
	panic("unwritten")
}
func (r *Registry) PutUser(ctx context.Context, actor string, u User, password string) error {
	panic("unwritten")
}
func (r *Registry) NewToken(ctx context.Context, actor, user, name string) (token string, err error) {
	panic("unwritten")
}

// Reveal opens a person's sealed fields. The caller audits.
func (r *Registry) Reveal(id string) (Personal, error) { panic("unwritten") }

// Login checks a human's password (argon2id, bounded parallelism); Token a program's bearer token (HMAC, microseconds).
func (r *Registry) Login(ctx context.Context, user, password string) (User, error) {
	panic("unwritten")
}
func (r *Registry) Token(token string) (User, error) { panic("unwritten") }

// Authenticate checks a device, gateway, bridge or observer at CONNECT, from memory, in microseconds.
// clientID must be the username or "{username}~{suffix}".
func (r *Registry) Authenticate(username, clientID string, secret []byte) (Principal, error) {
	panic("unwritten")
}

// Principal is who a connection is and what it may do.
type Principal struct {
	ID     string
	Kind   telemetry.Kind // "" for a bridge or observer
	Grants []Grant        // for bridges and observers
}

// Grant is a scoped right of a bridge or an observer: an MQTT filter, to publish or to subscribe.
type Grant struct {
	Filter    string `json:"filter"`
	Publish   bool   `json:"publish,omitempty"`
	Subscribe bool   `json:"subscribe,omitempty"`
}

// MayPublish and MaySubscribe: default deny. A device its own prefix; a gateway also its children's (an unregistered child's
// event is allowed: it is P1 "unknown place").
func (r *Registry) MayPublish(p Principal, topic string) bool    { panic("unwritten") }
func (r *Registry) MaySubscribe(p Principal, filter string) bool { panic("unwritten") }

// PutAccess adds a bridge or observer account with grants; the secret is generated when empty.
func (r *Registry) PutAccess(ctx context.Context, actor, id string, grants []Grant, secret string) (string, error) {
	panic("unwritten")
}

// ImportCSV reads devices (and optionally person columns) and applies all or nothing. Errors are ImportErrors: every faulty row.
func (r *Registry) ImportCSV(ctx context.Context, actor string, in io.Reader) (ImportReport, error) {
	panic("unwritten")
}

// ExportCSV writes devices without secrets.
func (v *View) ExportCSV(w io.Writer) error { panic("unwritten") }

// ImportReport of a successful import; Generated holds secrets to show once.
type ImportReport struct {
	Added, Changed int
	Generated      map[string]string
}

// RowError names a row (1 = header), a column and what was expected.
type RowError struct {
	Row               int
	Column, Want, Got string
}

// ImportErrors are all the faults of one file.
type ImportErrors []RowError

func (e ImportErrors) Error() string { panic("unwritten") }
