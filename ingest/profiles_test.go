package ingest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/registry/registrytest"
)

// bridge is a rig with a real registry and a bridge's messages.
type bridge struct {
	*rig
	reg *registry.Registry
}

func newBridge(t *testing.T, s store) *bridge {
	t.Helper()
	return newBridgeIn(t, s, filepath.Join(t.TempDir(), "data"))
}

func newBridgeIn(t *testing.T, s store, dir string, adjust ...func(*journal.Config)) *bridge {
	t.Helper()
	r := rigOn(t, openJournal(t, dir, adjust...), s.config(), nil)
	reg, err := registry.Open(context.Background(), registry.Config{KeyFile: filepath.Join(t.TempDir(), "key")}, r.journal)
	if err != nil {
		t.Fatal(err)
	}
	r.i.devices = func() directory { return reg.View() }
	return &bridge{r, reg}
}

func (b *bridge) register(d registry.Device) {
	b.t.Helper()
	if _, err := b.reg.PutDevices(b.t.Context(), "test", []registry.Device{d}, nil); err != nil {
		b.t.Fatal(err)
	}
}

// up journals a ChirpStack uplink of a device, as the broker would.
func (b *bridge) up(lane journal.LaneName, eui string, n int, object string) {
	b.t.Helper()
	m := message("lora-server", t0+int64(n)*nsPerMS, fmt.Sprintf(
		`{"deduplicationId":"d-%d","time":"2026-01-02T03:04:%02d.5+00:00","deviceInfo":{"devEui":%q},"object":%s}`, n, n, eui, object))
	m.Topic = "application/4d9c3f2e-0d0c-4a53-9a1f-8b1b3a1d2c11/device/" + eui + "/event/up"
	if _, err := b.journal.Lane(lane).Append(b.t.Context(), m); err != nil {
		b.t.Fatal(err)
	}
}

const eui = "24e124713c140001"

var bin = registry.Device{ID: "bin", Model: "milesight-em310-udl", Address: eui, Settings: "empty_mm=1000;full_mm=200;stream=wet"}

// TestDevicesOfAProfileAreStoredFromBothLanes: what such a device measures comes with its calls, in the event lane.
func TestDevicesOfAProfileAreStoredFromBothLanes(t *testing.T) {
	s := newStore(t, "")
	b := newBridge(t, s)
	b.register(bin)
	call, err := b.journal.Lane(journal.EventLane).Append(t.Context(), journal.Message{
		Kind: journal.Publish, ReceivedNS: t0, Device: "bin", Topic: "wh/v1/bin/event", Payload: []byte("no event"),
	})
	if err != nil {
		t.Fatal(err)
	}
	b.up(journal.EventLane, eui, 1, `{"battery":92,"distance":600,"position":"normal"}`)
	b.up(journal.EventLane, eui, 1, `{"battery":92,"distance":600,"position":"normal"}`) // redelivered
	b.up(journal.TelemetryLane, eui, 2, `{"battery":91,"distance":200}`)
	stop := b.run()
	b.drained()
	got := s.influxQL("SELECT fill_wet_pct, battery_pct FROM telemetry WHERE device = 'bin' AND kind = 'sorting_point'")
	if len(got.Values) != 2 {
		t.Fatalf("%d points, want 2: %v", len(got.Values), got)
	}
	for n, want := range []string{"[50 92]", "[100 91]"} {
		if have := fmt.Sprint(got.Values[n][1:]); have != want {
			t.Errorf("point %d is %s, want %s", n, have, want)
		}
	}
	if letters := b.deadLettersNow(); len(letters) != 0 {
		t.Errorf("%d dead letters: a call that cannot be read is the alert engine's", len(letters))
	}
	stop()
	mark, err := b.i.sources[1].marks.get(t.Context())
	if err != nil || mark.Compare(call.Pos) <= 0 {
		t.Errorf("mark of the event lane %v, %v", mark, err)
	}
	if len(b.journal.Lane(journal.EventLane).Cursors()) != 0 {
		t.Error("ingest holds back the purge of life.db")
	}
	again := rigOn(t, b.journal, s.config(), nil)
	again.i.devices = b.i.devices
	again.run()
	again.until("both lanes", func() bool { return again.i.Stats().LagMessages == 0 })
	if st := again.i.Stats(); st.Written != 0 {
		t.Errorf("%d points written again after a restart", st.Written)
	}
}

// TestADatabaseThatIsDownForTooLongDoesNotFillLife: the event lane is purged by age all the same, and a letter says what is lost.
func TestADatabaseThatIsDownForTooLongDoesNotFillLife(t *testing.T) {
	s, dir := newStore(t, ""), filepath.Join(t.TempDir(), "data")
	shortly := func(c *journal.Config) { c.Retention = time.Millisecond }
	b := newBridgeIn(t, s, dir, shortly)
	b.register(bin)
	b.up(journal.EventLane, eui, 1, `{"battery":92,"distance":600}`)
	stop := b.run()
	b.drained()
	stop() // as good as a database that is down
	for n := 2; n <= 5; n++ {
		b.up(journal.EventLane, eui, n, `{"battery":92,"distance":600}`)
	}
	time.Sleep(2 * time.Millisecond) // the frames are older than that then
	b.journal.Purge(t.Context())
	if err := b.journal.Close(t.Context()); err != nil { // the youngest frames are also in memory
		t.Fatal(err)
	}
	again := newBridgeIn(t, s, dir)
	again.up(journal.EventLane, eui, 6, `{"battery":92,"distance":600}`)
	again.run()
	again.drained()
	if got := s.count("battery_pct"); got < 2 || got > 3 { // the first, the last, and perhaps the frame that keeps the numbering
		t.Errorf("%d points", got)
	}
	if letter := again.deadLetters(1)[0]; letter.Stage != StageJournal || letter.Lane != journal.EventLane || letter.LastID < letter.ID {
		t.Errorf("letter %+v", letter)
	}
}

// TestAFaultBesideACallThatCannotBeReadIsTold: the alert engine makes the letter of the call, ingest that of the reading.
func TestAFaultBesideACallThatCannotBeReadIsTold(t *testing.T) {
	reg := registrytest.Open(t)
	if _, err := reg.PutDevices(t.Context(), "test", []registry.Device{bin}, nil); err != nil {
		t.Fatal(err)
	}
	for object, want := range map[string]string{
		`{"battery":"high","distance":600,"position":"maybe"}`: "battery",
		`{"battery":90,"distance":600,"position":"maybe"}`:     "",
	} {
		var letters letterList
		d := decoder{lane: journal.EventLane, letters: &letters, stats: &meter{}, fields: newFieldLimit()}
		m := message("lora-server", t0, `{"object":`+object+`}`)
		m.Topic = "application/a/device/" + eui + "/event/up"
		points := d.decode(nil, &journal.Entry{Message: m}, reg.View())
		told := ""
		for _, l := range letters {
			told += l.Reason
		}
		if len(points) != 1 || (told != "") != (want != "") || !strings.Contains(told, want) || strings.Contains(told, "position") {
			t.Errorf("%s: %d points, told %q", object, len(points), told)
		}
	}
}

// TestARedriveWithAMendedProfileReplacesThePoint: a message with an identity keeps its place, whatever is understood of it.
func TestARedriveWithAMendedProfileReplacesThePoint(t *testing.T) {
	s := newStore(t, "")
	b := newBridge(t, s)
	wrong := bin
	wrong.Settings = "empty_mm=1500;full_mm=200;stream=wet"
	b.register(wrong)
	b.up(journal.EventLane, eui, 1, `{"battery":"high","distance":600}`)
	b.run()
	b.drained()
	if letter := b.deadLetters(1)[0]; letter.Lane != journal.EventLane || !strings.Contains(letter.Reason, "battery") {
		t.Errorf("letter %+v", letter)
	}
	b.register(bin)
	if out := b.redrive(1); out.Outcome != OutcomeUndecodable || out.Points != 1 || !strings.Contains(out.Reason, "battery") {
		t.Errorf("redriven with a field that is still wrong: %+v", out)
	}
	got := s.influxQL("SELECT fill_wet_pct FROM telemetry WHERE device = 'bin'")
	if len(got.Values) != 1 || fmt.Sprint(got.Values[0][1]) != "50" {
		t.Errorf("in the database %v, want one point of 50", got)
	}
}

// TestWhatABridgeSentBeforeItsDeviceWasRegisteredIsStoredByARedrive: a letter is decoded with what the hub knows now.
func TestWhatABridgeSentBeforeItsDeviceWasRegisteredIsStoredByARedrive(t *testing.T) {
	s := newStore(t, "")
	b := newBridge(t, s)
	b.up(journal.TelemetryLane, eui, 1, `{"battery":92,"distance":600}`)
	b.run()
	b.drained()
	letter := b.deadLetters(1)[0]
	if letter.Stage != StageDecode || letter.Device != "lora-server" || !strings.Contains(letter.Reason, "registered") {
		t.Errorf("letter %+v", letter)
	}
	if out := b.redrive(1); out.Outcome != OutcomeUndecodable || out.Points != 0 {
		t.Errorf("before: %+v", out)
	}
	b.register(bin)
	if diff := cmp.Diff(Redriven{Outcome: OutcomeStored, Points: 1}, b.redrive(1)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]uint64{1}, b.redriven()); diff != "" {
		t.Error(diff)
	}
	got := s.influxQL("SELECT fill_wet_pct FROM telemetry WHERE device = 'bin'")
	if len(got.Values) != 1 || fmt.Sprint(got.Values[0][1]) != "50" {
		t.Errorf("in the database %v", got)
	}
}

// TestStrangersAreToldOfNowAndThen: a bridge's other devices must not crowd the dead letters out, and what it has retained is no
// measurement of now.
func TestStrangersAreToldOfNowAndThen(t *testing.T) {
	reg := registrytest.Open(t)
	if _, err := reg.PutDevices(t.Context(), "test", []registry.Device{bin}, nil); err != nil {
		t.Fatal(err)
	}
	var letters letterList
	d := decoder{lane: journal.TelemetryLane, letters: &letters, stats: &meter{}, fields: newFieldLimit()}
	read := func(topic string, at time.Duration, retained bool) []point {
		m := message("z2m", t0+int64(at), `{"battery":50,"object":{"battery":50}}`)
		m.Topic, m.Retain = topic, retained
		return d.decode(nil, &journal.Entry{Message: m}, reg.View())
	}
	for n, tc := range []struct {
		topic string
		at    time.Duration
		told  int
	}{
		{"zigbee2mqtt/lamp", 0, 1},
		{"zigbee2mqtt/lamp", time.Second, 1},
		{"zigbee2mqtt/fan", time.Second, 2},
		{"zigbee2mqtt/lamp", strangerEvery, 3},
		{"zigbee2mqtt/bridge/info", strangerEvery, 3},
	} {
		if points := read(tc.topic, tc.at, false); len(points) > 0 || len(letters) != tc.told {
			t.Errorf("message %d: %d points, %d letters, want %d", n, len(points), len(letters), tc.told)
		}
	}
	up := "application/a/device/" + eui + "/event/up"
	if old, now := read(up, 0, true), read(up, 0, false); len(old) != 0 || len(now) != 1 || len(letters) != 3 {
		t.Errorf("retained %d points, live %d, %d letters", len(old), len(now), len(letters))
	}
}

func TestStrangersAreBounded(t *testing.T) {
	var s strangers
	for n := range 3 * maxStrangers {
		if !s.tell(fmt.Sprint(n), t0) || len(s) > maxStrangers {
			t.Fatalf("address %d of %d remembered", n, len(s))
		}
	}
}
