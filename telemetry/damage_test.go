package telemetry_test

import (
	"testing"

	"watchhouse/telemetry"
	"watchhouse/telemetry/scan/scantest"
)

// A call, a reading, a status and an answer are never hidden by another field that is damaged, nor by what stands around the payload.
func TestDamageSpoilsOneFieldOnly(t *testing.T) {
	for name, p := range scantest.Everywhere(`"type":"smoke"`, `"seq":7`, `"ts":1763888888123`) {
		e, _ := telemetry.DecodeEvent(p)
		if e.Type != "smoke" || e.Seq == nil || *e.Seq != 7 || e.TS == nil || *e.TS != 1763888888123 {
			t.Errorf("event with %s, %q: %+v", name, p, e)
		}
	}
	for name, p := range scantest.Everywhere(`"temp_c":81.5`, `"seq":7`, `"mains":true`) {
		list, _ := telemetry.DecodeTelemetry(p)
		if len(list) != 1 || list[0].Seq == nil || valueOf(list[0], "temp_c") != 81.5 || valueOf(list[0], "mains") != 1 {
			t.Errorf("telemetry with %s, %q: %+v", name, p, list)
		}
	}
	for name, p := range scantest.Everywhere(`"online":true`) {
		if online, err := telemetry.DecodeStatus(p); err != nil || !online {
			t.Errorf("status with %s, %q: %v, %v", name, p, online, err)
		}
	}
	for name, p := range scantest.Everywhere(`"id":"01J"`, `"result":"accepted"`) {
		if ack, err := telemetry.DecodeCommandAck(p); err != nil || ack.ID != "01J" || ack.Result != telemetry.AckAccepted {
			t.Errorf("ack with %s, %q: %+v, %v", name, p, ack, err)
		}
	}
}

func valueOf(r telemetry.Reading, name string) float64 {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return -1
}

// A spoilt field of the event itself costs that field: the call stands, its time is not believed, its identity is gone.
func TestASpoiltFieldLeavesTheCall(t *testing.T) {
	for _, tc := range []struct {
		payload, field string
		ts             int64 // -1 = none
		identity       string
	}{
		{`{"type":"sos","ts":NaN,"seq":4,"boot":1}`, "ts", 0, "btn/b1/s4"},
		{`{"type":"sos","ts":"1763888888123"}`, "ts", 0, ""},
		{`{"type":"sos","ts":1763888888123,"seq":"4"}`, "seq", 1763888888123, ""},
		{`{"type":"sos","ts":1763888888123,"seq":4,"boot":nan}`, "boot", 1763888888123, "btn/s4/t1763888888123"},
		{`{"type":"sos","seq":4,"seq":5,"boot":1}`, "seq", -1, ""},
		{"{\"assignment\":\"\xce\xd2\",\"type\":\"sos\"}", "assignment", -1, ""},
		{`{"type":"sos"}OK`, "payload", -1, ""},
		{`{"type":"sos","x" 7}`, "x", -1, ""},
	} {
		e, err := telemetry.DecodeEvent([]byte(tc.payload))
		ts := int64(-1)
		if e.TS != nil {
			ts = *e.TS
		}
		if e.Type != "sos" || ts != tc.ts || e.Identity("btn") != tc.identity {
			t.Errorf("%s: %+v, ts %d, identity %q", tc.payload, e, ts, e.Identity("btn"))
		}
		if faults, ok := err.(telemetry.FieldErrors); !ok || faults[0].Field != tc.field {
			t.Errorf("%s: error %v, want one of %s", tc.payload, err, tc.field)
		}
	}
}

// What may hide a call is told: behind bytes that belong to no field only a call is believed.
func TestACallMayHideBehindAFlaw(t *testing.T) {
	for _, p := range []string{
		`{"type":"test"}{"type":"sos"}`, `{"type":"cancel" x}`, `{"type":"test",{"type":"sos"}}`, `{'type':'sos'}`, `{type:"sos"}`,
		`{"type":"sos","ts":17`, `{"type":"sos"`, `{"type":"sos","type":"test"}`, `{"type":NaN}`, `{"type":}`, `sos`, `"sos"`, `[1]`, ``,
	} {
		if e, err := telemetry.DecodeEvent([]byte(p)); err == nil || e.Type != "" {
			t.Errorf("%s is read as %+v, %v", p, e, err)
		}
	}
}
