package fleet

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
	"go.uber.org/goleak"

	"watchhouse/simulators/device"
	"watchhouse/simulators/verify"
	"watchhouse/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func specs() []device.Spec {
	return []device.Spec{
		{ID: "btn-1", Kind: telemetry.EmergencyButton, Power: "mains", Interval: 300 * time.Second, Secret: "s"},
		{ID: "btn-2", Kind: telemetry.EmergencyButton, Power: "battery", Interval: 4 * time.Hour, Gateway: "gw-1"},
		{ID: "gw-1", Kind: telemetry.Gateway, Power: "mains", Interval: 300 * time.Second, Secret: "s"},
		{ID: "house-1", Kind: telemetry.SafetyHouse, Power: "mains", Interval: 30 * time.Second, Secret: "s"},
		{ID: "sp-1", Kind: telemetry.SortingPoint, Power: "battery", Interval: 300 * time.Second, Gateway: "gw-1"},
		{ID: "garage-1", Kind: telemetry.Garage, Power: "mains", Interval: 300 * time.Second, Secret: "s"},
		{ID: "far", Kind: telemetry.EmergencyButton, Power: "battery", Interval: time.Hour, Gateway: "gw-elsewhere"},
	}
}

// start runs a fleet until the test ends or stop is called, and waits until all links stand.
func start(t *testing.T, b *testBroker, change func(*Config)) (f *Fleet, l *verify.Ledger, stop func()) {
	t.Helper()
	l = verify.NewLedger()
	cfg := DefaultConfig()
	cfg.Broker, cfg.Ledger, cfg.Ramp, cfg.MaxRetry, cfg.Speed = b.addr, l, 10*time.Millisecond, 50*time.Millisecond, 50
	if change != nil {
		change(&cfg)
	}
	f, err := New(cfg, specs(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	eventually(t, "all links online", func() bool { return f.Stats().Online == f.Stats().Links })
	return f, l, stop
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not in 20 s: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}

func drain(t *testing.T, f *Fleet) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := f.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// verified stops the fleet and compares its account with what the broker kept.
func verified(t *testing.T, f *Fleet, b *testBroker, l *verify.Ledger, stop func()) verify.Result {
	t.Helper()
	stop()
	r, err := l.Journal(b.stored(), f.Has)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Error(r)
	}
	return r
}

func TestEveryDeviceSpeaksUnderItsTopic(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, nil)
	for _, id := range []string{"btn-1", "btn-2", "far"} {
		check(f.Event(id, "sos"))
	}
	check(f.Event("house-1", "panic"))
	drain(t, f)
	for topic, text := range map[string]string{
		"wh/v1/btn-1/event": `"sos"`, "wh/v1/gw-1/child/btn-2/event": `"sos"`, "wh/v1/far/event": `"sos"`, "wh/v1/house-1/event": `"panic"`,
		"wh/v1/gw-1/status": `true`, "wh/v1/gw-1/child/btn-2/status": `true`,
	} {
		if n := b.count(topic, text); n != 1 {
			t.Errorf("%s: %d messages with %s, want 1", topic, n, text)
		}
	}
	eventually(t, "a heartbeat of the house", func() bool { return b.count("wh/v1/house-1/telemetry", "battery_pct") > 0 })
	if s := f.Stats(); s.Links != 5 || s.Online != 5 {
		t.Errorf("have %+v, want five links for seven devices", s)
	}
	if r := verified(t, f, b, l, stop); r.Acked < 10 {
		t.Errorf("only %d acknowledged", r.Acked)
	}
}

// The broker keeps a message, gives no ack and hangs up, five times over: it comes again with the same identity until it is acknowledged.
func TestUnacknowledgedGoesOutAgain(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, nil)
	drain(t, f)
	b.mu.Lock()
	b.withhold = 5
	b.mu.Unlock()
	for range 10 {
		check(f.Event("btn-1", "sos"))
	}
	drain(t, f)
	distinct := map[string]bool{}
	for s := range b.stored() {
		if s.Topic == "wh/v1/btn-1/event" {
			distinct[string(s.Payload)] = true
		}
	}
	if len(distinct) != 10 {
		t.Errorf("%d distinct presses arrived, want 10", len(distinct))
	}
	if f.Stats().Reconnects == 0 {
		t.Error("nothing was reconnected")
	}
	if r := verified(t, f, b, l, stop); r.Redelivered == 0 {
		t.Error("the account shows no redelivery")
	}
}

// A cut fires the will, messages wait meanwhile in order, and the device says that it is back.
func TestCutAndReturn(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, nil)
	drain(t, f)
	check(f.Cut("btn-2", 300*time.Millisecond)) // its gateway's connection
	eventually(t, "link down", func() bool { return f.Stats().Online == f.Stats().Links-1 })
	check(f.Event("btn-2", "sos"))
	drain(t, f)
	b.mu.Lock()
	wills := strings.Join(b.wills, " ")
	b.mu.Unlock()
	if wills != "gw-1" {
		t.Errorf("wills of %q, want gw-1", wills)
	}
	if n := b.count("wh/v1/gw-1/status", "true"); n != 2 {
		t.Errorf("online %d times, want 2", n)
	}
	verified(t, f, b, l, stop)
}

func TestStoppingFiresNoWill(t *testing.T) {
	b := newTestBroker(t)
	_, _, stop := start(t, b, nil)
	stop()
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.wills) > 0 {
		t.Errorf("wills of %v", b.wills)
	}
}

func TestRepeatSendsTheSameBytes(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, nil)
	if err := f.Repeat("btn-1", 1); err == nil {
		t.Error("there is nothing to repeat yet")
	}
	check(f.Event("btn-1", "sos"))
	check(f.Repeat("btn-1", 4))
	drain(t, f)
	if n := b.count("wh/v1/btn-1/event", `"sos"`); n != 5 {
		t.Errorf("%d presses, want 5", n)
	}
	if calls := l.Calls("sos")["btn-1"]; calls != (verify.Bounds{Least: 1, Most: 1}) {
		t.Errorf("calls %v, want one", calls)
	}
	verified(t, f, b, l, stop)
}

func TestFaultyDevices(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, nil)
	check(f.Faults("house-1", device.Faults{Malformed: 1, Late: 1, LateBy: 30 * time.Millisecond}))
	check(f.Event("house-1", "panic"))
	check(f.Send("btn-1", telemetry.ChannelEvent, []byte("\x00\xff")))
	drain(t, f)
	if n := b.count("wh/v1/house-1/event", `{"type"`) - b.count("wh/v1/house-1/event", `}`); n == 0 {
		t.Error("the message that was cut in the middle did not arrive")
	}
	if b.count("wh/v1/btn-1/event", "\x00\xff") != 1 {
		t.Error("the garbage did not arrive")
	}
	before := f.Stats().Reconnects
	check(f.Faults("btn-1", device.Faults{Flap: 20 * time.Millisecond}))
	check(f.Reboot("btn-1"))
	eventually(t, "flapping", func() bool { return f.Stats().Reconnects > before+2 })
	check(f.Faults("btn-1", device.Faults{}))
	verified(t, f, b, l, stop)
}

func TestBinsAndFires(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, func(c *Config) { c.Pace, c.Hour = 60, 17 })
	check(f.Fill("sp-1", "wet", 97))
	check(f.Collect("sp-1", "wet"))
	check(f.Burn("garage-1", true))
	check(f.Burn("garage-1", false))
	drain(t, f)
	if b.count("wh/v1/gw-1/child/sp-1/telemetry", `"fill_wet_pct":`) == 0 || b.count("wh/v1/gw-1/child/sp-1/event", `"emptied"`) == 0 {
		t.Error("the bin was not seen to be full and emptied")
	}
	if b.count("wh/v1/garage-1/event", `"smoke"`) != 1 {
		t.Error("the fire was not told")
	}
	if f.Fill("garage-1", "wet", 1) == nil || !errors.Is(f.Burn("nobody", true), ErrUnknown) {
		t.Error("a bin of a garage, and a fire nowhere, must be refused")
	}
	verified(t, f, b, l, stop)
}

// Devices of bought models come through one connection for each bridge, with the bridge's account; a ThingsBoard device has its own, and
// its token for a name. None of them says anything on wh/v1.
func TestBoughtDevicesComeThroughTheirBridges(t *testing.T) {
	b := newTestBroker(t)
	l := verify.NewLedger()
	cfg := DefaultConfig()
	cfg.Broker, cfg.Ledger, cfg.Ramp, cfg.Speed = b.addr, l, 0, 600
	cfg.Bridges = map[string]Account{"chirpstack": {"lora", "a"}, "zigbee2mqtt": {"zigbee", "b"}}
	f, err := New(cfg, []device.Spec{
		{ID: "ws", Model: "milesight-ws101", Kind: telemetry.EmergencyButton, Address: "24e124535b316056", Power: "battery", Interval: time.Minute},
		{ID: "udl", Model: "milesight-em310-udl", Kind: telemetry.SortingPoint, Address: "24e124713d4a8888", Power: "battery", Interval: time.Minute},
		{ID: "zig", Model: "zigbee-smoke", Kind: telemetry.Garage, Address: "garage/north", Power: "battery", Interval: time.Minute},
		{ID: "tb", Model: "thingsboard-button", Kind: telemetry.EmergencyButton, Power: "mains", Interval: time.Minute, Secret: "token"},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	stop := func() { cancel(); <-ended }
	eventually(t, "three links", func() bool { return f.Stats().Online == 3 })
	check(f.Event("ws", "sos"))
	check(f.Event("tb", "sos"))
	check(f.Burn("zig", true))
	check(f.Reboot("ws"))
	eventually(t, "the bridge is back", func() bool { return f.Stats().Reconnects > 0 && f.Stats().Online == 3 })
	for topic, text := range map[string]string{
		"application/5f0c2b1e-8d3a-4c6f-9a70-1b2c3d4e5f60/device/24e124535b316056/event/up": "short press",
		"application/5f0c2b1e-8d3a-4c6f-9a70-1b2c3d4e5f60/device/24e124713d4a8888/event/up": "distance",
		"zigbee2mqtt/garage/north": `"smoke":true`, "zigbee2mqtt/garage/north/availability": "online", "v1/devices/me/telemetry": `"sos"`,
	} {
		eventually(t, text+" on "+topic, func() bool { return b.count(topic, text) > 0 })
	}
	drain(t, f)
	for s := range b.stored() {
		if strings.HasPrefix(s.Topic, "wh/") {
			t.Errorf("%s has %s", s.Topic, s.Payload)
		}
	}
	if names := b.names(); !slices.Equal(names, []string{"lora a", "tb.token ", "zigbee b"}) || len(b.wills) > 0 {
		t.Errorf("signed in %q, wills %v", names, b.wills)
	}
	verified(t, f, b, l, stop)
}

func TestABridgeNeedsItsAccount(t *testing.T) {
	_, err := New(DefaultConfig(), []device.Spec{{ID: "ws", Model: "milesight-ws101"}}, nil)
	if err == nil || !strings.Contains(err.Error(), "ws speaks through chirpstack: want the account") {
		t.Errorf("have %v", err)
	}
	for _, c := range []struct {
		spec  device.Spec
		lacks bool
	}{
		{device.Spec{ID: "a"}, true},
		{device.Spec{ID: "a", Secret: "s"}, false},
		{device.Spec{ID: "a", Gateway: "gw"}, false},
		{device.Spec{ID: "a", Model: "zigbee-leak"}, false},
		{device.Spec{ID: "a", Model: "thingsboard-sensor"}, true},
	} {
		if DefaultConfig().LacksSecret(c.spec) != c.lacks {
			t.Errorf("%+v lacks a secret: want %v", c.spec, c.lacks)
		}
	}
	var a Account
	if err := a.UnmarshalText([]byte("lora:s:3")); err != nil || a != (Account{"lora", "s:3"}) {
		t.Errorf("have %+v, %v", a, err)
	}
	for _, bad := range []string{"", "lora", "lora:", ":s"} {
		if a.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is taken for an account", bad)
		}
	}
}

func TestTheDayBeginsAtTheHourOfShanghai(t *testing.T) {
	now := time.Date(2026, 7, 1, 17, 30, 0, 0, time.UTC) // 01:30 of the second of July in Shanghai
	if at := (Config{Hour: 17.5}).from(now); !at.Equal(time.Date(2026, 7, 2, 9, 30, 0, 0, time.UTC)) {
		t.Errorf("have %v", at)
	}
	if at := DefaultConfig().from(now); !at.Equal(now) {
		t.Errorf("have %v", at)
	}
}

func TestEmptyBatteryTakesTheLinkDown(t *testing.T) {
	b := newTestBroker(t)
	f, l, stop := start(t, b, func(c *Config) { c.Speed = 2000 })
	check(f.Faults("btn-1", device.Faults{Drain: true}))
	eventually(t, "the link is down", func() bool { return f.Stats().Online == f.Stats().Links-1 })
	check(f.Faults("btn-1", device.Faults{}))
	eventually(t, "a new battery brings it back", func() bool { return f.Stats().Online == f.Stats().Links })
	verified(t, f, b, l, stop)
}

func TestCommandsAreAnswered(t *testing.T) {
	b := newTestBroker(t)
	f, _, _ := start(t, b, nil)
	for _, cl := range []struct{ client, topic string }{{"btn-1", "wh/v1/btn-1/command"}, {"gw-1", "wh/v1/gw-1/child/btn-2/command"}} {
		c, ok := b.server.Clients.Get(cl.client)
		if !ok {
			t.Fatalf("%s is not connected", cl.client)
		}
		b.server.Topics.Subscribe(c.ID, packets.Subscription{Filter: cl.topic, Qos: 1})
		if err := b.server.Publish(cl.topic, []byte(`{"id":"01J","type":"receipt","args":{"stage":"received"}}`), false, 0); err != nil {
			t.Fatal(err)
		}
		eventually(t, "answer on "+cl.topic, func() bool { return b.count(cl.topic+"/ack", `{"id":"01J","result":"accepted"}`) == 1 })
	}
	if f.Stats().Commands != 2 {
		t.Errorf("%d commands counted, want 2", f.Stats().Commands)
	}
}

func TestRefusedSignInIsTriedAgain(t *testing.T) {
	b := newTestBroker(t)
	b.refuse = true
	cfg := DefaultConfig()
	cfg.Broker, cfg.Ramp, cfg.MaxRetry = b.addr, 0, 10*time.Millisecond
	f, err := New(cfg, specs()[:1], slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { f.Run(ctx); close(ended) }()
	eventually(t, "several attempts", func() bool { return f.Stats().FailedTry >= 3 })
	b.mu.Lock()
	b.refuse = false
	b.mu.Unlock()
	eventually(t, "online", func() bool { return f.Stats().Online == 1 })
	cancel()
	<-ended
}

func TestNewAndActionsNameTheFault(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"broker":  func(c *Config) { c.Broker = "localhost:1883" },
		"ca-file": func(c *Config) { c.CAFile = "ca.crt" },
		"speed":   func(c *Config) { c.Speed = 0.5 },
		"pace":    func(c *Config) { c.Pace = 0 },
		"hour":    func(c *Config) { c.Hour = 24 },
		"ramp":    func(c *Config) { c.MaxRetry = 0 },
	} {
		cfg := DefaultConfig()
		change(&cfg)
		if _, err := New(cfg, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: have %v", want, err)
		}
	}
	twice := append(specs(), specs()[0])
	if _, err := New(DefaultConfig(), twice, nil); err == nil || !strings.Contains(err.Error(), "btn-1") {
		t.Errorf("a device twice: %v", err)
	}
	f, err := New(DefaultConfig(), specs(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Event("nobody", "sos"); !errors.Is(err, ErrUnknown) {
		t.Errorf("have %v", err)
	}
	if have := f.Devices(telemetry.EmergencyButton); strings.Join(have, " ") != "btn-1 btn-2 far" {
		t.Errorf("buttons %v", have)
	}
}
