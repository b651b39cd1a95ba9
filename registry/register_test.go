package registry

import (
	"errors"
	"testing"

	"watchhouse/telemetry"
)

func TestAddReplaceRenew(t *testing.T) {
	r := openTest(t)
	d := Device{ID: "btn", Kind: telemetry.EmergencyButton}
	opens := func(secret string) bool {
		_, err := r.Authenticate("btn", "btn", []byte(secret))
		return err == nil
	}
	if _, err := r.ReplaceDevice(t.Context(), "t", d, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("replacing an unknown device: %v, want ErrNotFound", err)
	}
	if _, err := r.RenewSecret(t.Context(), "t", "btn"); !errors.Is(err, ErrNotFound) {
		t.Errorf("renewing the secret of an unknown device: %v, want ErrNotFound", err)
	}
	first, err := r.AddDevice(t.Context(), "t", d, "")
	check(t, err)
	if !opens(first) {
		t.Errorf("the generated secret %q does not open", first)
	}
	d.Name = "1号101"
	if _, err := r.AddDevice(t.Context(), "t", d, ""); !errors.Is(err, ErrExists) {
		t.Errorf("adding it twice: %v, want ErrExists", err)
	}
	kept, err := r.ReplaceDevice(t.Context(), "t", d, "")
	check(t, err)
	if got, _ := r.View().Device("btn"); kept != "" || !opens(first) || got.Name != d.Name {
		t.Errorf("after a replacement: %+v, secret %q, the first opens: %v", got, kept, opens(first))
	}
	second, err := r.RenewSecret(t.Context(), "t", "btn")
	check(t, err)
	if opens(first) || !opens(second) {
		t.Errorf("after a renewal the old secret opens: %v, the new one: %v", opens(first), opens(second))
	}
	if made, err := r.ReplaceDevice(t.Context(), "t", d, "a-chosen-secret"); err != nil || made != "" || !opens("a-chosen-secret") {
		t.Errorf("a chosen secret: %q, %v, opens: %v", made, err, opens("a-chosen-secret"))
	}
	for id, want := range map[string]string{"a b": "id", "": "id"} {
		_, err := r.AddDevice(t.Context(), "t", Device{ID: id, Kind: telemetry.Garage}, "")
		if invalid, ok := errors.AsType[*InvalidError](err); !ok || invalid.Field != want {
			t.Errorf("id %q: %v, want a fault of %s", id, err, want)
		}
	}
}
