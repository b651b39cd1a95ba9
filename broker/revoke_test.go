package broker

import (
	"context"
	"errors"
	"log/slog"
	"testing"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// onRegistry starts a broker on a real registry with a button, two gateways and a child behind the first.
func onRegistry(t *testing.T) (*house, *registry.Registry) {
	t.Helper()
	ctx := context.Background()
	j := openJournal(t, t.TempDir())
	reg := openRegistry(t, j)
	devices := []registry.Device{
		{ID: "btn-1", Kind: telemetry.EmergencyButton},
		{ID: "gw-1", Kind: telemetry.Gateway},
		{ID: "gw-2", Kind: telemetry.Gateway},
		{ID: "elder-7", Kind: telemetry.EmergencyButton, Gateway: "gw-1"},
	}
	secrets := map[string]string{"btn-1": "secret-btn-1", "gw-1": "secret-gw-1", "gw-2": "secret-gw-2", "elder-7": "secret-elder-7"}
	_, err := reg.PutDevices(ctx, "test", devices, secrets)
	if _, accessErr := reg.PutAccess(ctx, "test", "eye", []registry.Grant{{Filter: "wh/v1/#", Subscribe: true}}, "secret-eye"); accessErr != nil {
		err = errors.Join(err, accessErr)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(testConfig(), Deps{Journal: j, Registry: reg, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(b.Stop(ctx), j.Close(ctx)); err != nil {
			t.Error(err)
		}
	})
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	return &house{Broker: b, t: t, journal: j}, reg
}

// Each change of the registry ends the connections that rested on what is no longer so, and no others.
func TestAChangeRevokesWhatItMust(t *testing.T) {
	ctx := context.Background()
	replace := func(d registry.Device, secret string) func(*registry.Registry) error {
		return func(r *registry.Registry) error { _, err := r.ReplaceDevice(ctx, "test", d, secret); return err }
	}
	for name, tc := range map[string]struct {
		change  func(*registry.Registry) error
		revoked string
	}{
		"deleted":         {func(r *registry.Registry) error { return r.DeleteDevice(ctx, "test", "btn-1") }, "btn-1"},
		"a new secret":    {func(r *registry.Registry) error { _, err := r.RenewSecret(ctx, "test", "btn-1"); return err }, "btn-1"},
		"another kind":    {replace(registry.Device{ID: "btn-1", Kind: telemetry.Garage}, ""), "btn-1"},
		"account deleted": {func(r *registry.Registry) error { return r.DeleteAccess(ctx, "test", "eye") }, "eye"},
		"account's new secret": {func(r *registry.Registry) error {
			_, err := r.PutAccess(ctx, "test", "eye", []registry.Grant{{Filter: "#", Subscribe: true}}, "generate")
			return err
		}, "eye"},
		"out of service":        {replace(registry.Device{ID: "btn-1", Kind: telemetry.EmergencyButton, OutOfService: true}, ""), ""},
		"another name":          {replace(registry.Device{ID: "btn-1", Kind: telemetry.EmergencyButton, Name: "x"}, ""), ""},
		"behind a gateway":      {replace(registry.Device{ID: "btn-1", Kind: telemetry.EmergencyButton, Gateway: "gw-2"}, ""), ""},
		"away from its gateway": {replace(registry.Device{ID: "elder-7", Kind: telemetry.EmergencyButton}, ""), ""},
	} {
		t.Run(name, func(t *testing.T) {
			h, reg := onRegistry(t)
			wires := map[string]*wire{}
			for _, id := range []string{"btn-1", "gw-1", "elder-7", "eye"} {
				wires[id] = h.join(hello{user: id, v5: true})
			}
			if err := tc.change(reg); err != nil {
				t.Fatal(err)
			}
			if tc.revoked == "" {
				h.dismiss() // whatever it found when it ran by itself, it finds now
			} else if _, last := wires[tc.revoked].expectClosed(); len(last) == 0 || last[0] != codeAdministrator {
				t.Errorf("%s got DISCONNECT % x, want %#x", tc.revoked, last, codeAdministrator)
			}
			for id, w := range wires {
				if id != tc.revoked {
					w.ping()
				}
			}
		})
	}
}

// A change that comes while the broker looks after the one before it is seen too.
func TestAChangeDuringTheLookIsSeen(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1"})
	h.people.whenAnswered(func() {
		h.people.fall("btn-1", true)
		h.people.change()
	})
	h.people.change()
	w.expectClosed()
	h.expectReasons("btn-1", reasonRevoked)
}

// A child that was moved is the new gateway's; the old one's messages for it are kept as rejects, from the next message on.
func TestAMovedChildIsItsNewGateways(t *testing.T) {
	h, reg := onRegistry(t)
	one, two := h.join(hello{user: "gw-1", v5: true}), h.join(hello{user: "gw-2", v5: true})
	say := func(w *wire, gateway, channel string, code byte) {
		t.Helper()
		w.publish(pub{topic: "wh/v1/" + gateway + "/child/elder-7/" + channel, payload: "{}", qos: 1, id: 1})
		w.expectAck(typePuback, 1, code)
	}
	for _, channel := range []string{"event", "telemetry", "status"} {
		say(one, "gw-1", channel, 0)
		say(two, "gw-2", channel, codeNotAuthorized)
	}
	moved := registry.Device{ID: "elder-7", Kind: telemetry.EmergencyButton, Gateway: "gw-2"}
	if _, err := reg.ReplaceDevice(context.Background(), "test", moved, ""); err != nil {
		t.Fatal(err)
	}
	for _, channel := range []string{"event", "telemetry", "status"} {
		say(one, "gw-1", channel, codeNotAuthorized)
		say(two, "gw-2", channel, 0)
	}
	if n := len(h.stored(journal.EventLane)); n != 2 {
		t.Errorf("%d events are stored, want one of each gateway", n)
	}
}

// A secret that is renewed while its owner signs in opens nothing any more.
func TestASecretRenewedDuringTheSignIn(t *testing.T) {
	h := start(t)
	h.people.fall("btn-1", true)
	for _, v5 := range []bool{false, true} {
		want := byte(5)
		if v5 {
			want = 0x86
		}
		w := h.dial()
		if code, _ := w.connect(hello{user: "btn-1", v5: v5}); code != want {
			t.Errorf("v5 %v: CONNACK %#x, want %#x", v5, code, want)
		}
		w.expectClosed()
	}
	if n := len(h.state.taken(journal.Connect)); n != 0 {
		t.Errorf("%d sessions are recorded, want none", n)
	}
	h.people.fall("btn-1", false)
	h.join(hello{user: "btn-1"}).ping()
}
