package verify

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

func press(dev string, seq int) device.Message {
	return device.Message{
		Device: dev, Channel: telemetry.ChannelEvent, Type: "sos", Seq: uint32(seq), TS: 1,
		Payload: fmt.Appendf(nil, `{"type":"sos","seq":%d}`, seq),
	}
}

func stored(ms ...device.Message) iter.Seq2[Stored, error] {
	return func(yield func(Stored, error) bool) {
		for _, m := range ms {
			if !yield(Stored{Topic: m.Topic(), Payload: m.Payload}, nil) {
				return
			}
		}
	}
}

func all(string) bool { return true }

// booked is a ledger of messages each sent and acknowledged once.
func booked(ms ...device.Message) *Ledger {
	l := NewLedger()
	for _, m := range ms {
		l.Sent(m)
		l.Acked(m, time.Unix(1, 0))
	}
	return l
}

func compare(t *testing.T, l *Ledger, kept ...device.Message) Result {
	t.Helper()
	r, err := l.Journal(stored(kept...), all)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhatWasAcknowledgedAndIsMissingIsNamed(t *testing.T) {
	a, b := press("btn-1", 1), press("btn-2", 2)
	r := compare(t, booked(a, b), a)
	if r.OK() || len(r.Missing) != 1 || r.Missing[0].Device != "btn-2" || !strings.Contains(r.String(), `missing: btn-2 event: {"type":"sos","seq":2}`) {
		t.Errorf("have %v", r)
	}
}

func TestWhatIsKeptTwiceIsNamed(t *testing.T) {
	a := press("btn-1", 1)
	if r := compare(t, booked(a), a, a); r.OK() || len(r.Doubled) != 1 || r.Doubled[0].Have != 2 {
		t.Errorf("have %v", r)
	}
}

func TestWhatNobodySentIsNamed(t *testing.T) {
	a := press("btn-1", 1)
	r := compare(t, booked(a), a, press("btn-1", 9))
	if r.OK() || len(r.Foreign) != 1 || !strings.Contains(r.Foreign[0].What, `"seq":9`) {
		t.Errorf("have %v", r)
	}
}

// A message whose ack was lost with the link is sent again: once or twice in the journal is both right, none and three times is not.
func TestRedeliveryIsPermitted(t *testing.T) {
	a := press("btn-1", 1)
	for kept, ok := range []bool{false, true, true, false} {
		l := booked(a)
		l.Sent(a)
		r := compare(t, l, []device.Message{a, a, a}[:kept]...)
		if r.OK() != ok {
			t.Errorf("kept %d times: %v", kept, r)
		}
		if kept == 2 && r.Redelivered != 1 {
			t.Errorf("kept twice: %d redelivered", r.Redelivered)
		}
	}
}

func TestUnacknowledgedMayBeLost(t *testing.T) {
	l := NewLedger()
	l.Sent(press("btn-1", 1))
	if r := compare(t, l); !r.OK() {
		t.Errorf("have %v", r)
	}
}

func TestOthersAreLeftOut(t *testing.T) {
	r, err := NewLedger().Journal(stored(press("canary", 1)), func(d string) bool { return d != "canary" })
	if err != nil || !r.OK() || r.Kept != 0 {
		t.Errorf("have %v, %v", r, err)
	}
}

func TestChildAndDirectTopicAreOneDevice(t *testing.T) {
	a := press("btn-1", 1)
	behind := a
	behind.Gateway = "gw-01"
	if r := compare(t, booked(behind), behind); !r.OK() {
		t.Errorf("have %v", r)
	}
	if dev, channel := parseTopic("wh/v1/gw-01/child/btn-1/command/ack"); dev != "btn-1" || channel != telemetry.ChannelCommandAck {
		t.Errorf("have %s %s", dev, channel)
	}
}

func TestASourceThatFailsIsAnError(t *testing.T) {
	boom := errors.New("boom")
	_, err := NewLedger().Journal(func(yield func(Stored, error) bool) { yield(Stored{}, boom) }, all)
	if !errors.Is(err, boom) {
		t.Errorf("have %v", err)
	}
}

// For any history of sends, acks and kept copies the verdict is exactly the rule a <= k <= s, message by message; saving and loading the
// ledger changes nothing.
func TestVerdictIsTheRule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := NewLedger()
		var kept []device.Message
		missing, doubled, foreign := 0, 0, 0
		for i := range rapid.IntRange(0, 8).Draw(t, "messages") {
			m := press(fmt.Sprintf("btn-%d", i%3), i)
			s := rapid.IntRange(0, 3).Draw(t, "sent")
			a := rapid.IntRange(0, s).Draw(t, "acked")
			k := rapid.IntRange(0, 4).Draw(t, "kept")
			for range s {
				l.Sent(m)
			}
			for range a {
				l.Acked(m, time.Unix(5, 0))
			}
			for range k {
				kept = append(kept, m)
			}
			switch {
			case s == 0 && k > 0:
				foreign++
			case k < a:
				missing++
			case k > s:
				doubled++
			}
		}
		var file bytes.Buffer
		if err := l.Write(&file); err != nil {
			t.Fatal(err)
		}
		again, err := Read(&file)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range []*Ledger{l, again} {
			r, err := l.Journal(stored(kept...), all)
			if err != nil || len(r.Missing) != missing || len(r.Doubled) != doubled || len(r.Foreign) != foreign {
				t.Fatalf("want %d missing, %d doubled, %d foreign, have %v, %v", missing, doubled, foreign, r, err)
			}
		}
	})
}

func TestReadingsAndCallsCountDistinctMessages(t *testing.T) {
	beat := device.Message{Device: "b", Channel: telemetry.ChannelTelemetry, TS: 1, Payload: []byte(`{"seq":1}`)}
	broken := device.Message{Device: "b", Channel: telemetry.ChannelTelemetry, Payload: []byte(`{"se`)}
	l := booked(beat, beat, broken, press("b", 1), press("b", 1), press("b", 2))
	l.Sent(press("b", 3))
	if have := l.Readings(); !reflect.DeepEqual(have, map[string]Bounds{"b": {1, 1}}) {
		t.Errorf("readings %v", have)
	}
	if have := l.Calls("sos", "panic"); !reflect.DeepEqual(have, map[string]Bounds{"b": {2, 3}}) {
		t.Errorf("calls %v", have)
	}
	if have := l.Calls("panic"); len(have) != 0 {
		t.Errorf("panics %v", have)
	}
	if sent, acked := l.Totals(); sent != 7 || acked != 6 {
		t.Errorf("totals %d, %d", sent, acked)
	}
}

func TestCounts(t *testing.T) {
	want := map[string]Bounds{"a": {2, 3}, "b": {1, 1}, "c": {1, 1}}
	r := Counts("points", want, map[string]int{"a": 3, "b": 2, "x": 1})
	if len(r.Missing) != 1 || r.Missing[0].Device != "c" || len(r.Doubled) != 1 || r.Doubled[0].Device != "b" ||
		len(r.Foreign) != 1 || r.Foreign[0].Device != "x" || r.Redelivered != 1 {
		t.Errorf("have %v", r)
	}
}

func TestCatLines(t *testing.T) {
	in := `{"lane":"event","id":1,"topic":"wh/v1/b/event","payload":{"type": "sos","seq":1}}
{"lane":"event","id":2,"topic":"wh/v1/b/event","payload":"{\"type\":\"so"}
{"lane":"state","id":3,"device":"b","topic":"","payload":{"protocol":4}}
{"lane":"state","id":4,"kind":"will","topic":"wh/v1/b/status","payload":{"online":false}}
`
	half := device.Message{Device: "b", Channel: telemetry.ChannelEvent, Payload: []byte(`{"type":"so`)}
	r, err := booked(press("b", 1), half).Journal(Cat(strings.NewReader(in)), all)
	if err != nil || !r.OK() || r.Kept != 2 {
		t.Errorf("have %v, %v", r, err)
	}
	_, err = NewLedger().Journal(Cat(strings.NewReader("{}\nnot json\n")), all)
	if err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("have %v, want the line named", err)
	}
}

func TestReadNamesTheLine(t *testing.T) {
	if _, err := Read(strings.NewReader("{}\n{\"sent\":\"x\"}\n")); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("have %v", err)
	}
}
