package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func testCodec(t fatal) *codec {
	t.Helper()
	c, err := newCodec()
	if err != nil {
		t.Fatalf("codec: %v", err)
	}
	return c
}

func sealed(c *codec, first uint64, ms ...Message) []byte {
	b := batch{buf: make([]byte, headerSize)}
	for i := range ms {
		b.buf = appendEntry(b.buf, &ms[i], b.prevNS)
		b.prevNS = ms[i].ReceivedNS
	}
	p := packer{z: c.encoder}
	h := header{Magic: laneMagic(), Writer: 7, Epoch: 3, First: first, TimeNS: 5, Count: uint32(len(ms))}
	return bytes.Clone(p.seal(b.buf, new([]byte), h))
}

func TestFrameRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := testCodec(t)
		ms := rapid.SliceOfN(rapid.Custom(message), 1, 30).Draw(t, "messages")
		first := rapid.Uint64Range(1, 1<<60).Draw(t, "first")
		h, body, err := openFrame(sealed(c, first, ms...), laneMagic(), c.decoder)
		if err != nil {
			t.Fatalf("open: %v", err)
		}
		if h.First != first || int(h.Count) != len(ms) || h.Writer != 7 || h.Epoch != 3 || h.TimeNS != 5 {
			t.Fatalf("header %+v", h)
		}
		es, err := decodeEntries(body, h.First, 9, h.Count)
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		for i, e := range es {
			want := Position{Frame: 9, Index: uint32(i)}
			if !sameMessage(e.Message, ms[i]) || e.ID != first+uint64(i) || e.Pos != want {
				t.Fatalf("entry %d: %+v, want %+v", i, e, ms[i])
			}
		}
	})
}

// The layout is what doc.go says: a frame sealed by an earlier version must stay readable.
func TestFrameBytes(t *testing.T) {
	c := testCodec(t)
	m := Message{Kind: Publish, ReceivedNS: 3, Client: "c", Device: "c", Topic: "t", QoS: 1, Dup: true, Conn: 2, Payload: []byte("p")}
	want := "57484631" + "01000000" + "0700000000000000" + "0300000000000000" + "0100000000000000" + "0500000000000000" +
		"01000000" + "0a000000" + "0a000000" + "0000000000000000" + "ce8fe224" +
		"0119060201630174" + "0170"
	if got := hex.EncodeToString(sealed(c, 1, m)); got != want {
		t.Errorf("frame\n%s, want\n%s", got, want)
	}
}

func TestFlippedBitIsFound(t *testing.T) {
	c := testCodec(t)
	small := sealed(c, 1, press(1))
	large := sealed(c, 1, Message{Kind: Publish, Payload: []byte(strings.Repeat("abcdefgh", 4096))})
	if large[5] != codecZstd || small[5] != codecRaw {
		t.Fatalf("codecs %d and %d, want the large frame packed and the small one not", large[5], small[5])
	}
	for _, frame := range [][]byte{small, large} {
		for bit := range len(frame) * 8 {
			bad := bytes.Clone(frame)
			bad[bit/8] ^= 1 << (bit % 8)
			if _, _, err := openFrame(bad, laneMagic(), c.decoder); !errors.Is(err, errFrame) {
				t.Fatalf("bit %d flipped: %v", bit, err)
			}
		}
		for n := range len(frame) {
			if _, _, err := openFrame(frame[:n], laneMagic(), c.decoder); !errors.Is(err, errFrame) {
				t.Fatalf("cut to %d: %v", n, err)
			}
		}
	}
}

func TestIncompressibleFrameStaysRaw(t *testing.T) {
	c := testCodec(t)
	noise := make([]byte, 32<<10)
	x := uint64(1)
	for i := range noise {
		x = x*6364136223846793005 + 1442695040888963407
		noise[i] = byte(x >> 56)
	}
	if f := sealed(c, 1, Message{Kind: Publish, Payload: noise}); f[5] != codecRaw {
		t.Errorf("codec %d, want raw", f[5])
	}
}

// A frame with a right checksum and a lying body must not crash or allocate beyond reason.
func FuzzFrame(f *testing.F) {
	c := testCodec(f)
	f.Add(sealed(c, 1, press(1), press(2)), true)
	f.Add(sealed(c, 5, Message{Kind: Publish, Payload: []byte(strings.Repeat("abc", 4000))}), true)
	f.Add([]byte("WHF1"), false)
	f.Fuzz(func(t *testing.T, b []byte, mend bool) {
		if mend && len(b) >= headerSize {
			b = bytes.Clone(b)
			binary.LittleEndian.PutUint32(b[48:], uint32(len(b)-headerSize))
			binary.LittleEndian.PutUint32(b[60:], checksum(b))
		}
		h, body, err := openFrame(b, laneMagic(), c.decoder)
		if err != nil {
			return
		}
		es, err := decodeEntries(body, h.First, 1, h.Count)
		if err != nil {
			if !errors.Is(err, errFrame) {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		again := make([]byte, headerSize)
		prev := int64(0)
		for _, e := range es {
			again = appendEntry(again, &e.Message, prev)
			prev = e.ReceivedNS
		}
		round, err := decodeEntries(again[headerSize:], h.First, 1, h.Count)
		if err != nil {
			t.Fatalf("what was decoded does not decode again: %v", err)
		}
		for i := range es {
			if !sameMessage(es[i].Message, round[i].Message) {
				t.Fatalf("entry %d changes on the way", i)
			}
		}
	})
}

func FuzzGroup(f *testing.F) {
	c := testCodec(f)
	_, raw, err := buildGroup(chainTail{}, [][]byte{[]byte("a"), []byte("b")})
	if err != nil {
		f.Fatal(err)
	}
	p := packer{z: c.encoder}
	f.Add(bytes.Clone(p.seal(raw, new([]byte), header{Magic: chainMagic(), First: 1, Count: 2})))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= headerSize {
			b = bytes.Clone(b)
			binary.LittleEndian.PutUint32(b[48:], uint32(len(b)-headerSize))
			binary.LittleEndian.PutUint32(b[60:], checksum(b))
		}
		g, err := parseGroup(engineRecord(b), c)
		if err == nil && len(g.steps) == 0 {
			t.Fatal("a group without steps")
		}
	})
}
