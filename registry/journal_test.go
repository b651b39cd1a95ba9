package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/registry/registrytest"
	"watchhouse/telemetry"
)

// house keeps a registry in a folder over restarts.
type house struct {
	t   *testing.T
	dir string
	j   *journal.Journal
}

func (h *house) open() *registry.Registry {
	h.t.Helper()
	cfg := journal.DefaultConfig()
	cfg.Dir = filepath.Join(h.dir, "data")
	cfg.ReserveBytes = 1 << 20
	var err error
	if h.j, err = journal.Open(h.t.Context(), cfg, slog.New(slog.DiscardHandler)); err != nil {
		h.t.Fatalf("open journal: %v", err)
	}
	return h.registry()
}

func (h *house) registry() *registry.Registry {
	h.t.Helper()
	r, err := registry.Open(h.t.Context(), registry.Config{KeyFile: filepath.Join(h.dir, "data.key")}, h.j)
	if err != nil {
		h.t.Fatalf("open registry: %v", err)
	}
	return r
}

func (h *house) close() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.j.Close(ctx); err != nil {
		h.t.Fatalf("close journal: %v", err)
	}
}

// Everything is there after a restart, from the snapshot as from the change sets, and for a reader beside a running hub.
func TestRegistrySurvivesRestart(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	r := h.open()
	manyDevices(t, r)
	registrytest.Put(t, r, registry.Device{ID: "btn", Kind: telemetry.EmergencyButton, Name: "renamed"})
	must(t, r.PutUser(t.Context(), "t", registry.User{Name: "admin", Role: registry.Admin}, "correct horse"))
	must(t, r.PutPersons(t.Context(), "t", map[string]registry.Personal{"p1": {Name: "王小明"}}))
	want := r.View()
	if want.Revision() != 4 {
		t.Errorf("revision %d, want one for each of four edits", want.Revision())
	}
	h.close()

	r = h.open()
	defer h.close()
	compareViews(t, want, r.View())
	if _, err := r.Authenticate("btn", "btn", []byte(registrytest.Secret)); err != nil {
		t.Errorf("authenticate after a restart: %v", err)
	}
	if _, err := r.Login(t.Context(), "admin", "correct horse", true); err != nil {
		t.Errorf("login after a restart: %v", err)
	}
	if p, err := r.Reveal("p1"); err != nil || p.Name != "王小明" {
		t.Errorf("reveal after a restart: %+v, %v", p, err)
	}

	beside, err := journal.OpenReadOnly(t.Context(), filepath.Join(h.dir, "data"))
	must(t, err)
	defer func() { must(t, beside.Close(context.WithoutCancel(t.Context()))) }()
	reader, err := registry.Open(t.Context(), registry.Config{KeyFile: filepath.Join(h.dir, "data.key")}, beside)
	must(t, err)
	compareViews(t, want, reader.View())
	if err := reader.DeleteDevice(t.Context(), "t", "btn"); err == nil {
		t.Error("a reader could write")
	}
}

func TestOpenReadOnlyOfAnEmptyRegistry(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	h.open()
	h.close()
	beside, err := journal.OpenReadOnly(t.Context(), filepath.Join(h.dir, "data"))
	must(t, err)
	defer func() { must(t, beside.Close(context.WithoutCancel(t.Context()))) }()
	r, err := registry.Open(t.Context(), registry.Config{KeyFile: filepath.Join(h.dir, "data.key")}, beside)
	must(t, err)
	if n := len(r.View().Devices()); n != 0 {
		t.Errorf("%d devices, want none", n)
	}
}

// No file below the data folder holds a secret, a password, a token or a personal field.
func TestDataFolderHoldsNoSecretInClear(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	r := h.open()
	ctx := t.Context()
	hidden := []string{
		"CHOSEN-secret-77", "observer-SECRET-88", "PASSword-of-admin", "王小明明", "13877771234", "洪安小区十二号", "严重心脏病", "王芳芳", "13977775678", "PERSON-by-csv",
	}
	generated, err := r.PutDevices(ctx, "t", []registry.Device{
		{ID: "a", Kind: telemetry.EmergencyButton, Name: "VISIBLE-marker"}, {ID: "b", Kind: telemetry.EmergencyButton},
	}, map[string]string{"a": hidden[0], "b": registry.GenerateSecret})
	must(t, err)
	access, err := r.PutAccess(ctx, "t", "obs", []registry.Grant{{Filter: "#", Subscribe: true}}, hidden[1])
	must(t, err)
	must(t, r.PutUser(ctx, "t", registry.User{Name: "admin", Role: registry.Admin}, hidden[2]))
	token, err := r.NewToken(ctx, "t", "admin", "x")
	must(t, err)
	must(t, r.PutPersons(ctx, "t", map[string]registry.Personal{"p1": {
		Name: hidden[3], Phone: hidden[4], Address: hidden[5], Note: hidden[6],
		Contacts: []registry.Relative{{Name: hidden[7], Relation: "女儿", Phone: hidden[8]}},
	}}))
	_, err = r.ImportCSV(ctx, "t", strings.NewReader("id,kind,person,person_name\nc,emergency_button,p2,"+hidden[9]+"\n"))
	must(t, err)
	manyDevices(t, r)
	hidden = append(hidden, generated["b"], strings.TrimPrefix(token, "wh_"), "王**", "138****1234", registrytest.Secret)
	if access != "" || generated["b"] == "" {
		t.Fatalf("generated %q and %q", access, generated["b"])
	}
	keys, err := h.j.KV("registry").Keys(ctx)
	must(t, err)
	texts := map[string][]byte{}
	for _, key := range keys {
		texts[key], err = h.j.KV("registry").Get(ctx, key)
		must(t, err)
	}
	change, err := h.j.Chain("registry").Read(ctx, 1, 1000)
	must(t, err)
	h.close()
	// The records are compressed in the files, so look into both: the files as they lie there, and what they unpack to.
	for _, step := range change {
		texts["change sets"] = append(texts["change sets"], step.Body...)
	}
	readFolder(t, filepath.Join(h.dir, "data"), texts)
	found := false
	for name, text := range texts {
		found = found || bytes.Contains(text, []byte("VISIBLE-marker"))
		for _, secret := range hidden {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("%s holds %q", name, secret)
			}
		}
	}
	if !found {
		t.Error("nothing holds the marker: this test looks in the wrong place")
	}
}

// manyDevices registers enough in one change set that a snapshot is written after it.
func manyDevices(t *testing.T, r *registry.Registry) {
	t.Helper()
	devices := []registry.Device{{ID: "btn", Kind: telemetry.EmergencyButton}}
	for i := range 4000 {
		devices = append(devices, registry.Device{ID: fmt.Sprintf("lamp-%04d", i), Kind: "street_lamp", Model: strings.Repeat("m", 200)})
	}
	registrytest.Put(t, r, devices...)
}

func readFolder(t *testing.T, dir string, texts map[string][]byte) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		texts[path], err = os.ReadFile(path)
		return err
	}))
}

func compareViews(t *testing.T, want, got *registry.View) {
	t.Helper()
	if got.Revision() != want.Revision() {
		t.Errorf("revision %d, want %d", got.Revision(), want.Revision())
	}
	if diff := cmp.Diff(want.Devices(), got.Devices()); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Users(), got.Users()); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Persons(), got.Persons()); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
