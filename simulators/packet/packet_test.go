package packet

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Byte sequences from the examples of the MQTT 3.1.1 standard's layout, written by hand.
func TestBytes(t *testing.T) {
	will := &Publish{Topic: "w", Payload: []byte("x"), QoS: 1, Retain: true}
	for _, c := range []struct {
		name       string
		have, want []byte
	}{
		{
			"connect", Connect{ClientID: "a", KeepAlive: 60, CleanSession: true}.Append(nil),
			[]byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 4, 0x02, 0, 60, 0, 1, 'a'},
		},
		{
			"connect with will and credentials", Connect{ClientID: "a", Username: "u", Password: []byte("p"), Will: will}.Append(nil),
			[]byte{0x10, 25, 0, 4, 'M', 'Q', 'T', 'T', 4, 0xEC, 0, 0, 0, 1, 'a', 0, 1, 'w', 0, 1, 'x', 0, 1, 'u', 0, 1, 'p'},
		},
		{"publish QoS 0", Publish{Topic: "t", Payload: []byte("hi"), ID: 7}.Append(nil), []byte{0x30, 5, 0, 1, 't', 'h', 'i'}},
		{"publish QoS 1 again", Publish{Topic: "t", ID: 258, QoS: 1, Dup: true, Retain: true}.Append(nil), []byte{0x3B, 5, 0, 1, 't', 1, 2}},
		{"puback", AppendPuback(nil, 258), []byte{0x40, 2, 1, 2}},
		{"subscribe", AppendSubscribe(nil, 258, "a/+", 1), []byte{0x82, 8, 1, 2, 0, 3, 'a', '/', '+', 1}},
		{"ping", AppendPing(nil), []byte{0xC0, 0}},
		{"disconnect", AppendDisconnect([]byte{9}), []byte{9, 0xE0, 0}},
	} {
		if !bytes.Equal(c.have, c.want) {
			t.Errorf("%s: have % x, want % x", c.name, c.have, c.want)
		}
	}
}

func TestSuback(t *testing.T) {
	id, code, err := Packet{Type: TypeSuback, Body: []byte{1, 2, 0x80}}.Suback()
	if id != 258 || code != 0x80 || err != nil {
		t.Errorf("have %d, %d, %v", id, code, err)
	}
	for _, bad := range []Packet{{Type: TypePuback, Body: []byte{1, 2, 0}}, {Type: TypeSuback, Body: []byte{1, 2}}} {
		if _, _, err := bad.Suback(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%+v: error %v, want ErrMalformed", bad, err)
		}
	}
}

// Any publishes written one after another are read back as they were, however the network cuts the bytes.
func TestPublishRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.SliceOfN(rapid.Custom(drawPublish), 1, 6).Draw(t, "publishes")
		var wire []byte
		for _, p := range want {
			wire = p.Append(wire)
		}
		r := NewReader(iotest.OneByteReader(bytes.NewReader(wire)), 16, 1<<20)
		for _, p := range want {
			raw, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			have, err := raw.Publish()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(p, have); diff != "" {
				t.Fatal(diff)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last packet: %v", err)
		}
	})
}

func drawPublish(t *rapid.T) Publish {
	p := Publish{
		Topic:   rapid.StringMatching(`[a-z/]{1,40}`).Draw(t, "topic"),
		Payload: rapid.SliceOfN(rapid.Byte(), 0, 400).Draw(t, "payload"),
		QoS:     byte(rapid.IntRange(0, 2).Draw(t, "qos")),
		Retain:  rapid.Bool().Draw(t, "retain"),
		Dup:     rapid.Bool().Draw(t, "dup"),
	}
	if p.QoS > 0 {
		p.ID = rapid.Uint16().Draw(t, "id")
	}
	return p
}

func TestReaderRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"five length bytes", []byte{0x30, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, ErrMalformed},
		{"too long", []byte{0x30, 0xFF, 0xFF, 0xFF, 0x7F}, ErrTooLarge},
		{"cut in the length", []byte{0x30, 0x80}, io.ErrUnexpectedEOF},
		{"cut in the body", []byte{0x30, 5, 0}, io.ErrUnexpectedEOF},
		{"end", nil, io.EOF},
	} {
		if _, err := NewReader(bytes.NewReader(c.in), 16, 1024).Next(); !errors.Is(err, c.want) {
			t.Errorf("%s: have %v, want %v", c.name, err, c.want)
		}
	}
}

func TestReadyOnlyWithAWholePacket(t *testing.T) {
	r := NewReader(bytes.NewReader([]byte{0x40, 2, 0, 1, 0x40, 2, 0, 2, 0x40, 2, 0}), 64, 64)
	for want := 1; want <= 2; want++ {
		p, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if id, err := p.Puback(); err != nil || int(id) != want {
			t.Errorf("have id %d, %v, want %d", id, err, want)
		}
		if r.Ready() != (want == 1) {
			t.Errorf("after ack %d: ready is %v", want, r.Ready())
		}
	}
}

// FuzzReader: whatever comes from the wire, the reader neither panics nor reads beyond its limit, and what it takes for a PUBLISH encodes
// to the same bytes again.
func FuzzReader(f *testing.F) {
	f.Add(Publish{Topic: "wh/v1/btn-0001/event", Payload: []byte(`{"type":"sos"}`), QoS: 1, ID: 9}.Append(nil))
	f.Add([]byte{0x20, 2, 0, 0, 0x40, 2, 0, 1})
	f.Add([]byte{0x36, 3, 0, 1, 'a'})
	f.Add([]byte{0x30, 0x80, 0x80, 0x01})
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in), 16, 256)
		for {
			raw, err := r.Next()
			if err != nil {
				return
			}
			if len(raw.Body) > 256 {
				t.Fatalf("body of %d bytes", len(raw.Body))
			}
			p, err := raw.Publish()
			if err != nil {
				continue
			}
			again, err := NewReader(bytes.NewReader(p.Append(nil)), 16, 256).Next()
			if err != nil || !bytes.Equal(again.Body, raw.Body) || again.Flags != raw.Flags {
				t.Fatalf("%v does not survive: %v", p, err)
			}
		}
	})
}

func TestReadingAcksDoesNotAllocate(t *testing.T) {
	wire := bytes.Repeat(AppendPuback(nil, 1), 64)
	source := bytes.NewReader(wire)
	r := NewReader(source, 4096, 64)
	allocs := testing.AllocsPerRun(100, func() {
		source.Reset(wire)
		for range 64 {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
	})
	if allocs > 0 {
		t.Errorf("reading 64 acks allocates %v times", allocs)
	}
}
