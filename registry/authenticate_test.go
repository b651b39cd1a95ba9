package registry

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"watchhouse/telemetry"
)

const chosen = "S3cret-of-a-button"

func TestAuthenticate(t *testing.T) {
	r := openTest(t)
	mustPut(t, r, map[string]string{"btn": chosen, "other": "another-secret"},
		Device{ID: "btn", Kind: telemetry.EmergencyButton},
		Device{ID: "btn2", Kind: telemetry.EmergencyButton},
		Device{ID: "other", Kind: telemetry.Garage})
	grants := []Grant{{Filter: "wh/v1/#", Subscribe: true}}
	if _, err := r.PutAccess(t.Context(), "t", "obs", grants, "observer-secret"); err != nil {
		t.Fatal(err)
	}
	button := Principal{ID: "btn", Kind: telemetry.EmergencyButton}
	for _, tc := range []struct {
		name, user, client, secret string
		want                       Principal
		err                        error
	}{
		{"right", "btn", "btn", chosen, button, nil},
		{"second connection", "btn", "btn~telemetry", chosen, button, nil},
		{"observer", "obs", "obs~1", "observer-secret", Principal{ID: "obs", Grants: grants}, nil},
		{"wrong secret", "btn", "btn", chosen + "x", Principal{}, ErrUnauthorized},
		{"shorter secret", "btn", "btn", chosen[:len(chosen)-1], Principal{}, ErrUnauthorized},
		{"empty secret", "btn", "btn", "", Principal{}, ErrUnauthorized},
		{"another device's secret", "btn", "btn", "another-secret", Principal{}, ErrUnauthorized},
		{"huge secret", "btn", "btn", strings.Repeat("x", 1<<20), Principal{}, ErrUnauthorized},
		{"no secret registered", "btn2", "btn2", "", Principal{}, ErrUnauthorized},
		{"unknown name", "nobody", "nobody", chosen, Principal{}, ErrUnauthorized},
		{"empty name", "", "", "", Principal{}, ErrUnauthorized},
		{"huge name", strings.Repeat("x", 1<<20), "", chosen, Principal{}, ErrUnauthorized},
		{"name in other case", "BTN", "BTN", chosen, Principal{}, ErrUnauthorized},
		{"name and id joined by NUL", "btn\x00" + chosen, "btn", "", Principal{}, ErrUnauthorized},
		{"foreign client id", "btn", "other", chosen, Principal{}, ErrClientID},
		{"client id of a longer name", "btn", "btn2", chosen, Principal{}, ErrClientID},
		{"empty client id", "btn", "", chosen, Principal{}, ErrClientID},
		{"empty suffix", "btn", "btn~", chosen, Principal{}, ErrClientID},
		{"wildcard in suffix", "btn", "btn~#", chosen, Principal{}, ErrClientID},
		{"slash in suffix", "btn", "btn~a/b", chosen, Principal{}, ErrClientID},
		{"NUL in suffix", "btn", "btn~\x00", chosen, Principal{}, ErrClientID},
		{"long suffix", "btn", "btn~" + strings.Repeat("x", 65), chosen, Principal{}, ErrClientID},
		{"foreign client id and wrong secret", "btn", "other", "wrong-secret", Principal{}, ErrUnauthorized},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := r.Authenticate(tc.user, tc.client, []byte(tc.secret))
			if err != tc.err { //nolint:errorlint // which of the two sentinels is the point
				t.Errorf("error %v, want %v", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got, cmpopts.IgnoreUnexported(Principal{})); diff != "" {
				t.Errorf("principal (-want +got):\n%s", diff)
			}
		})
	}
	if !errors.Is(ErrClientID, ErrUnauthorized) {
		t.Error("ErrClientID must be an ErrUnauthorized")
	}
}

func TestDeletedDeviceCannotConnect(t *testing.T) {
	r := openTest(t)
	mustPut(t, r, map[string]string{"btn": chosen}, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	check(t, r.DeleteDevice(t.Context(), "t", "btn"))
	if _, err := r.Authenticate("btn", "btn", []byte(chosen)); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("error %v, want ErrUnauthorized", err)
	}
	mustPut(t, r, nil, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	if _, err := r.Authenticate("btn", "btn", []byte(chosen)); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a new device of the same id takes the old secret: %v", err)
	}
}

func TestSecretRules(t *testing.T) {
	r := openTest(t)
	button := Device{ID: "btn", Kind: telemetry.EmergencyButton}
	for _, secret := range []string{"seven77", strings.Repeat("x", 257)} {
		_, err := r.PutDevices(t.Context(), "t", []Device{button}, map[string]string{"btn": secret})
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Field != "secret" || !strings.Contains(invalid.Want, "8 to 256 bytes") {
			t.Errorf("secret of %d bytes: error %v, want one that says 8 to 256 bytes", len(secret), err)
		}
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error repeats the secret: %v", err)
		}
	}
	if n := len(r.View().Devices()); n != 0 {
		t.Errorf("%d devices after refused calls, want none", n)
	}
	made := mustPut(t, r, map[string]string{"btn": GenerateSecret}, button)["btn"]
	if len(made) < 26 || strings.Trim(made, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("generated secret %q, want at least 26 characters of base32 (128 bits)", made)
	}
	if again := mustPut(t, r, map[string]string{"btn": GenerateSecret}, button)["btn"]; again == made {
		t.Error("two generated secrets are equal")
	}
	if _, err := r.Authenticate("btn", "btn", []byte(made)); err == nil {
		t.Error("a replaced secret still opens")
	}
	if _, err := r.PutDevices(t.Context(), "t", []Device{button}, map[string]string{"btn2": chosen}); err == nil {
		t.Error("a secret for a device that is not in the call was accepted")
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	r := openTest(t)
	mustPut(t, r, map[string]string{"gw": chosen}, Device{ID: "gw", Kind: telemetry.Gateway},
		Device{ID: "btn", Kind: telemetry.EmergencyButton, Gateway: "gw"})
	p, err := r.Authenticate("gw", "gw", []byte(chosen))
	check(t, err)
	secret := []byte(chosen)
	allowed := 0.0
	if raceEnabled {
		allowed = 6 // of a new HMAC when the pool forgets
	}
	for name, work := range map[string]func(){
		"authenticate":    func() { _, _ = r.Authenticate("gw", "gw~1", secret) },
		"unknown name":    func() { _, _ = r.Authenticate("nobody", "nobody", secret) },
		"unknown token":   func() { _, _ = r.Token("wh_nothing") },
		"may publish":     func() { r.MayPublish(p, "wh/v1/gw/child/btn/event") },
		"may subscribe":   func() { r.MaySubscribe(p, "wh/v1/gw/child/+/command") },
		"view a device":   func() { r.View().Device("btn") },
		"list by gateway": func() { r.View().Children("gw") },
	} {
		if n := testing.AllocsPerRun(200, work); n > allowed {
			t.Errorf("%s: %v allocations, want %v", name, n, allowed)
		}
	}
}

// An unknown name must not be told from a known one by the clock. Medians of interleaved runs differ by far less than the
// factor allowed here, which only a skipped HMAC would exceed.
func TestUnknownNameTakesAsLong(t *testing.T) {
	r := openTest(t)
	mustPut(t, r, map[string]string{"btn": chosen}, Device{ID: "btn", Kind: telemetry.EmergencyButton})
	wrong := []byte("a-wrong-secret-x")
	const rounds, batch = 41, 50
	var known, unknown []time.Duration
	measure := func(name string) time.Duration {
		start := time.Now()
		for range batch {
			_, _ = r.Authenticate(name, name, wrong)
		}
		return time.Since(start)
	}
	for range rounds {
		known, unknown = append(known, measure("btn")), append(unknown, measure("nob"))
	}
	if k, u := median(known), median(unknown); u*2 < k || k*2 < u {
		t.Errorf("known name %v, unknown name %v a batch: want about the same", k, u)
	}
}

func benchmarkRegistry(b *testing.B, n int) *Registry {
	r := openTest(b)
	devices := make([]Device, 0, n)
	secrets := make(map[string]string, n)
	for i := range n {
		d := Device{ID: fmt.Sprintf("btn-%05d", i), Kind: telemetry.EmergencyButton}
		devices = append(devices, d)
		secrets[d.ID] = chosen
	}
	mustPut(b, r, secrets, devices...)
	return r
}

func BenchmarkAuthenticate(b *testing.B) {
	r := benchmarkRegistry(b, 75_000)
	secret := []byte(chosen)
	for _, bc := range []struct{ name, user string }{{"known", "btn-04711"}, {"unknown", "btn-x4711"}} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_, _ = r.Authenticate(bc.user, bc.user, secret)
				}
			})
		})
	}
}

func BenchmarkMayPublish(b *testing.B) {
	r := benchmarkRegistry(b, 1000)
	p := Principal{ID: "btn-00042", Kind: telemetry.EmergencyButton}
	b.ReportAllocs()
	for b.Loop() {
		r.MayPublish(p, "wh/v1/btn-00042/telemetry")
	}
}

func BenchmarkPutOneOf75000(b *testing.B) {
	r := benchmarkRegistry(b, 75_000)
	for b.Loop() {
		mustPut(b, r, nil, Device{ID: "btn-00042", Kind: telemetry.EmergencyButton})
	}
}

// Whoever signed in may stay until the registry says something else of it: no other change ends a connection.
func TestStands(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*Registry) error
		stands bool
	}{
		"nothing": {func(*Registry) error { return nil }, true},
		"another name, place and gateway": {func(r *Registry) error {
			_, err := r.ReplaceDevice(t.Context(), "t", Device{ID: "btn", Kind: telemetry.EmergencyButton, Name: "x", Gateway: "gw"}, "")
			return err
		}, true},
		"out of service": {func(r *Registry) error {
			_, err := r.ReplaceDevice(t.Context(), "t", Device{ID: "btn", Kind: telemetry.EmergencyButton, OutOfService: true}, "")
			return err
		}, true},
		"another kind": {func(r *Registry) error {
			_, err := r.ReplaceDevice(t.Context(), "t", Device{ID: "btn", Kind: telemetry.Garage}, "")
			return err
		}, false},
		"a new secret": {func(r *Registry) error { _, err := r.RenewSecret(t.Context(), "t", "btn"); return err }, false},
		"the same secret again": {func(r *Registry) error {
			_, err := r.ReplaceDevice(t.Context(), "t", Device{ID: "btn", Kind: telemetry.EmergencyButton}, chosen)
			return err
		}, true},
		"deleted": {func(r *Registry) error { return r.DeleteDevice(t.Context(), "t", "btn") }, false},
		"deleted and back without a secret": {func(r *Registry) error {
			if err := r.DeleteDevice(t.Context(), "t", "btn"); err != nil {
				return err
			}
			_, err := r.PutDevices(t.Context(), "t", []Device{{ID: "btn", Kind: telemetry.EmergencyButton}}, nil)
			return err
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := openTest(t)
			mustPut(t, r, map[string]string{"btn": chosen}, Device{ID: "btn", Kind: telemetry.EmergencyButton}, Device{ID: "gw", Kind: telemetry.Gateway})
			who, err := r.Authenticate("btn", "btn", []byte(chosen))
			check(t, err)
			check(t, tc.change(r))
			if got := r.Stands(who); got != tc.stands {
				t.Errorf("the connection may stay: %v, want %v", got, tc.stands)
			}
		})
	}
}

func TestAccountsStand(t *testing.T) {
	r := openTest(t)
	put := func(secret string, filters ...string) {
		var grants []Grant
		for _, f := range filters {
			grants = append(grants, Grant{Filter: f, Subscribe: true})
		}
		_, err := r.PutAccess(t.Context(), "t", "obs", grants, secret)
		check(t, err)
	}
	put(chosen, "a/#")
	who, err := r.Authenticate("obs", "obs", []byte(chosen))
	check(t, err)
	if put("", "b/#"); !r.Stands(who) || r.MaySubscribe(who, "a/b") {
		t.Error("other grants: want the connection to stay, without the old right")
	}
	if put("another-secret", "b/#"); r.Stands(who) {
		t.Error("a new secret: want the connection to end")
	}
	if who, err = r.Authenticate("obs", "obs", []byte("another-secret")); err != nil || !r.Stands(who) {
		t.Errorf("signed in with the new secret: %v", err)
	}
	check(t, r.DeleteAccess(t.Context(), "t", "obs"))
	if r.Stands(who) {
		t.Error("a deleted account may stay")
	}
}
