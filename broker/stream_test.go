package broker

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// However the network cuts the stream, the packets that come out are those that went in.
func TestFrameReaderAtAnyBorders(t *testing.T) {
	pool := newBufferPool()
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 126, 127, 128, 250, 253, 254, 255, 4000, 16383, 16384, 32763, 32764, 32765, 70_000}), 1, 12).Draw(t, "sizes")
		var stream []byte
		for i, size := range sizes {
			stream = append(stream, packet(byte(i%15+1)<<4, bytes.Repeat([]byte{byte(i)}, size))...)
		}
		cuts := rapid.SliceOfN(rapid.SampledFrom([]int{1, 2, 3, 100, 255, 256, 257, 5000, 40_000}), 1, 20).Draw(t, "cuts")
		n := 0
		f := frameReader{pool: pool, limit: 128 << 10, read: func(p []byte) (int, error) {
			if len(p) == 0 {
				t.Fatal("asked to read nothing")
			}
			if len(stream) == 0 {
				return 0, io.EOF
			}
			k := copy(p[:min(len(p), cuts[n%len(cuts)])], stream)
			stream = stream[k:]
			n++
			return k, nil
		}}
		for i, size := range sizes {
			got, err := f.next()
			if err != nil || got.kind() != byte(i%15+1) || len(got.body) != size || bytes.Count(got.body, []byte{byte(i)}) != size {
				t.Fatalf("packet %d of %d bytes: kind %d, %d bytes, %v", i, size, got.kind(), len(got.body), err)
			}
		}
		if _, err := f.next(); !errors.Is(err, io.EOF) {
			t.Fatalf("after the last packet: %v", err)
		}
		f.release()
	})
}

// A quiet connection gives the large buffer back.
func TestQuietConnectionHoldsNoLargeBuffer(t *testing.T) {
	h := start(t)
	w := h.join(hello{user: "btn-1"})
	w.publish(pub{topic: "wh/v1/btn-1/event", payload: string(make([]byte, 20_000)), qos: 1, id: 1})
	w.expectAck(typePuback, 1, 0)
	for range 3 {
		w.ping()
	}
	c := h.table.client("btn-1")
	_ = w.nc.Close()
	<-c.ended
	probe := frameReader{pool: h.buffers, limit: 1 << 20, read: bytes.NewReader(append(packet(0x30, make([]byte, 20_000)), packet(0xC0, nil)...)).Read}
	for range 2 {
		if _, err := probe.next(); err != nil {
			t.Fatal(err)
		}
	}
	if probe.loan == nil {
		t.Fatal("a large packet was read without a large buffer")
	}
	probe.read = func(p []byte) (int, error) {
		return copy(p, packet(0xC0, nil)), nil
	}
	for range 3 {
		if _, err := probe.next(); err != nil {
			t.Fatal(err)
		}
	}
	if probe.loan != nil || len(probe.buf) != idleBufferBytes {
		t.Errorf("%d bytes are held", len(probe.buf))
	}
}

func FuzzDecodePublish(f *testing.F) {
	w := wire{v5: true}
	f.Add(w.publishPacket(pub{topic: "a/b", payload: "x", qos: 1, id: 3, props: lenText(lenText([]byte{propUser}, "k"), "v")}), true)
	f.Add(w.publishPacket(pub{topic: "a/b", qos: 2, id: 3, props: []byte{propTopicAlias, 0, 1}}), true)
	f.Add((&wire{}).publishPacket(pub{topic: "a/b", payload: "x"}), false)
	f.Fuzz(func(t *testing.T, raw []byte, v5 bool) {
		size, header, err := packetSize(raw)
		if err != nil || size == 0 || size > len(raw) {
			return
		}
		p, err := decodePublish(frame{raw: raw[:size], body: raw[header:size]}, v5)
		if err != nil {
			return
		}
		if len(p.topic)+len(p.payload)+len(p.props) > size || p.qos > 2 || p.qos > 0 && p.id == 0 {
			t.Errorf("%+v out of % x", p, raw)
		}
	})
}

// FuzzByteStream sends anything to a broker, signed in or not. No panic escapes and the hub lives on.
func FuzzByteStream(f *testing.F) {
	w := wire{v5: true}
	for _, v5 := range []bool{false, true} {
		f.Add(hello{user: "btn-1", v5: v5}.packet(), uint8(0))
	}
	f.Add(w.publishPacket(pub{topic: "wh/v1/btn-1/event", qos: 2, id: 1}), uint8(2))
	f.Add(packet(typeSubscribe<<4|2, lenText([]byte{0, 1, 0}, "a/b")), uint8(2))
	f.Add(packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1}, "$share/g"), 1)), uint8(1))
	f.Add(packet(typeUnsub<<4|2, lenText([]byte{0, 1, 0}, "a/b")), uint8(2))
	f.Add([]byte{typeDisconnect << 4, 1, 4}, uint8(2))
	f.Add(packet(typeAuth<<4, []byte{0x18, 0}), uint8(2))
	h := start(f)
	h.direct()
	f.Fuzz(func(t *testing.T, raw []byte, mode uint8) {
		far, near := net.Pipe()
		h.adopt(near, nil)
		go func() { _, _ = io.Copy(io.Discard, far) }()
		_ = far.SetWriteDeadline(time.Now().Add(patient10))
		if mode%3 > 0 {
			_, _ = far.Write(hello{user: "btn-1", v5: mode%3 == 2}.packet())
		}
		_, _ = far.Write(raw)
		_ = far.Close()
		eventually(t, "the connection has ended", func() bool { return h.Stats().Connections == 0 })
		probe := dial(t, h.Addr())
		if code, _ := probe.connect(hello{user: "btn-2"}); code != 0 {
			t.Fatalf("the hub does not live: CONNACK %#x", code)
		}
		_ = probe.nc.Close()
		eventually(t, "the probe has ended", func() bool { return h.Stats().Connections == 0 })
	})
}
