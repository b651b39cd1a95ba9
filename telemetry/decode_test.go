package telemetry

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeEvent(t *testing.T) {
	full := Event{Type: "sos", TS: new(int64(1763888888123)), Boot: new(uint32(3)), Seq: new(uint32(12))}
	for _, tc := range []struct {
		name, payload string
		want          Event
		field, got    string // of the error
	}{
		{name: "contract example", payload: `{"type":"sos","boot":3,"seq":12,"ts":1763888888123}`, want: full},
		{name: "spaces, mark and NUL", payload: "\xef\xbb\xbf { \"type\" : \"sos\" ,\r\n\"boot\":3,\"seq\":12,\t\"ts\":1763888888123 } \n\x00\x00", want: full},
		{name: "whole floats", payload: `{"type":"sos","boot":3.0,"seq":1.2e1,"ts":1763888888123.0}`, want: full},
		{name: "null is absent", payload: `{"type":"sos","boot":null,"ts":null}`, want: Event{Type: "sos"}},
		{name: "unknown type", payload: `{"type":"help"}`, want: Event{Type: "help"}},
		{name: "NaN in a field nobody reads", payload: `{"type":"sos","battery":nan}`, want: Event{Type: "sos"}},
		{name: "escapes", payload: `{"type":"s\u006fs"}`, want: Event{Type: "sos"}},
		{name: "escaped key is not the field", payload: `{"type":"sos","x\"":[{"}":1}]}`, want: Event{Type: "sos"}},
		{name: "assignment", payload: `{"type":"arrive","assignment":"01J9"}`, want: Event{Type: "arrive", Assignment: "01J9"}},
		{name: "impossible time is cut", payload: `{"type":"sos","ts":1e300}`, want: Event{Type: "sos", TS: new(int64(9223372036854775807))}},
		{name: "beyond float64", payload: `{"type":"sos","ts":-1e999}`, want: Event{Type: "sos", TS: new(int64(-9223372036854775808))}},

		{name: "empty", payload: "", field: "payload", got: "an empty one"},
		{name: "only NUL", payload: "\x00\x00", field: "payload", got: "an empty one"},
		{name: "garbage", payload: "\xff\xfe\x01", field: "payload", got: "text that is not JSON"},
		{name: "word", payload: "SOS", field: "payload", got: "a bare word such as NaN"},
		{name: "string", payload: `"sos"`, field: "payload", got: "a string"},
		{name: "array", payload: `[{"type":"sos"}]`, field: "payload", got: "an array"},
		{name: "no type", payload: `{"seq":1}`, want: Event{Seq: new(uint32(1))}, field: "type", got: "nothing"},
		{name: "other case", payload: `{"Type":"sos"}`, field: "type", got: "nothing"},
		{name: "null type", payload: `{"type":null}`, field: "type", got: "nothing"},
		{name: "empty type", payload: `{"type":""}`, field: "type", got: "an empty one"},
		{name: "number as type", payload: `{"type":1}`, field: "type", got: "a number"},
		{name: "type with newline", payload: `{"type":"a\nb"}`, field: "type", got: "a control character"},
		{name: "type not UTF-8", payload: "{\"type\":\"\xff\"}", field: "type", got: "text that is not UTF-8"},
		{name: "type twice", payload: `{"type":"sos","type":"test"}`, field: "type", got: "it twice"},
		{name: "number as string", payload: `{"type":"sos","ts":"1763888888123"}`, want: Event{Type: "sos", TS: new(int64)}, field: "ts", got: "a string"},
		{name: "NaN", payload: `{"type":"sos","ts":NaN}`, want: Event{Type: "sos", TS: new(int64)}, field: "ts", got: "a bare word such as NaN"},
		{name: "negative seq", payload: `{"type":"sos","seq":-1}`, want: Event{Type: "sos"}, field: "seq", got: "a number out of range"},
		{name: "seq beyond uint32", payload: `{"type":"sos","seq":4294967296}`, want: Event{Type: "sos"}, field: "seq", got: "a number out of range"},
		{name: "fraction", payload: `{"type":"sos","boot":1.5}`, want: Event{Type: "sos"}, field: "boot", got: "a number with a fraction"},
		{name: "cut short", payload: `{"type":"sos","ts":17638`, field: "ts", got: "the end of the payload"},
		{name: "cut in a value", payload: `{"type":"sos","ts":`, field: "ts", got: "the end of the payload"},
		{name: "cut in a string", payload: `{"type":"so`, field: "type", got: "the end of the payload"},
		{name: "something after", payload: `{"type":"sos"}{}`, want: Event{Type: "sos"}, field: "payload", got: "more bytes"},
		{name: "leading zero", payload: `{"type":"sos","seq":012}`, want: Event{Type: "sos"}, field: "seq", got: "text that is not JSON"},
		{name: "bad escape", payload: `{"type":"\x"}`, field: "type", got: "text that is not JSON"},
		{name: "single quotes", payload: `{'type':'sos'}`, field: "payload", got: "text that is not JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := DecodeEvent([]byte(tc.payload))
			checkFault(t, err, tc.field, tc.got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

// checkFault compares the first FieldError of err with the field and finding expected, none when field is empty.
func checkFault(t *testing.T, err error, field, got string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Fatalf("unexpected error: %v", err)
		}
		return
	}
	var fe *FieldError
	if !errors.As(err, &fe) {
		t.Fatalf("error is %v (%T), want a *FieldError on %s", err, err, field)
	}
	if fe.Field != field || fe.Got != got {
		t.Errorf("error is %q, want field %q and got %q", fe, field, got)
	}
	if fe.Want == "" {
		t.Error("the error does not say what was expected")
	}
}
