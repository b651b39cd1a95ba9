package journal

import (
	"encoding/binary"
	"fmt"
)

// Flags of an entry.
const (
	flagQoS        = 0x03
	flagRetain     = 0x04
	flagDup        = 0x08
	flagSameDevice = 0x10 // the device's id is the client's
	flagCut        = 0x20 // the payload's bulk was left out
	flagKnown      = flagQoS | flagRetain | flagDup | flagSameDevice | flagCut
)

// entryOverhead bounds what an entry takes beside its strings: kind, flags, time, connection and five lengths.
const entryOverhead = 2 + 2*binary.MaxVarintLen64 + 5*binary.MaxVarintLen32

// sizeBound is at least the encoded size of m.
func sizeBound(m *Message) int {
	return entryOverhead + len(m.Client) + len(m.Device) + len(m.Topic) + len(m.Payload)
}

// appendEntry encodes m; prevNS is the time of the entry before it in the frame, 0 for the first.
func appendEntry(b []byte, m *Message, prevNS int64) []byte {
	flags := m.QoS & flagQoS
	if m.Retain {
		flags |= flagRetain
	}
	if m.Dup {
		flags |= flagDup
	}
	same := m.Device == m.Client
	if same {
		flags |= flagSameDevice
	}
	if m.Cut > 0 {
		flags |= flagCut
	}
	b = append(b, byte(m.Kind), flags)
	b = binary.AppendVarint(b, m.ReceivedNS-prevNS)
	b = binary.AppendUvarint(b, m.Conn)
	b = appendBytes(b, m.Client)
	if !same {
		b = appendBytes(b, m.Device)
	}
	b = appendBytes(b, m.Topic)
	if m.Cut > 0 {
		b = binary.AppendUvarint(b, uint64(m.Cut))
	}
	return appendBytes(b, m.Payload)
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// entryReader decodes the body of a frame. The payloads share the body. The names do not: they are cut from a string of the entry's
// own, so that whoever remembers a device or a topic keeps some dozen bytes and not the frame with everybody's payloads.
type entryReader struct {
	body []byte
	off  int
	ns   int64
	err  error
}

func decodeEntries(body []byte, first, seq uint64, count uint32) ([]Entry, error) {
	// An entry takes at least 7 bytes, which bounds what a lying count can make us allocate.
	if uint64(count)*7 > uint64(len(body)) {
		return nil, fmt.Errorf("%w: %d entries in %d bytes", errFrame, count, len(body))
	}
	r := entryReader{body: body}
	out := make([]Entry, count)
	for i := range count {
		e := &out[i]
		r.entry(&e.Message)
		e.ID = first + uint64(i)
		e.Pos = Position{Frame: seq, Index: i}
		e.Next = Position{Frame: seq, Index: i + 1}
	}
	if r.err == nil && r.off != len(body) {
		r.fail("%d bytes left over", len(body)-r.off)
	}
	return out, r.err
}

func (r *entryReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: at byte %d: %s", errFrame, r.off, fmt.Sprintf(format, args...))
	}
}

func (r *entryReader) entry(m *Message) {
	m.Kind = Kind(r.byte())
	flags := r.byte()
	if flags&^flagKnown != 0 {
		r.fail("flags %02x", flags)
	}
	m.QoS, m.Retain, m.Dup = flags&flagQoS, flags&flagRetain != 0, flags&flagDup != 0
	d, n := binary.Varint(r.body[min(r.off, len(r.body)):])
	r.skip(n)
	r.ns += d
	m.ReceivedNS = r.ns
	m.Conn = r.uvarint()
	r.names(m, flags&flagSameDevice != 0)
	if flags&flagCut != 0 {
		m.Cut = int(r.uvarint())
	}
	from, to := r.span()
	m.Payload = r.body[from:to:to]
}

func (r *entryReader) byte() byte {
	if r.err != nil || r.off >= len(r.body) {
		r.fail("cut short")
		return 0
	}
	r.off++
	return r.body[r.off-1]
}

func (r *entryReader) skip(n int) {
	if n <= 0 {
		r.fail("bad number")
		return
	}
	r.off += n
}

func (r *entryReader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.body[r.off:])
	r.skip(n)
	return v
}

func (r *entryReader) span() (from, to int) {
	n := r.uvarint()
	if r.err != nil || n > uint64(len(r.body)-r.off) {
		r.fail("length %d", n)
		return 0, 0
	}
	from = r.off
	r.off += int(n)
	return from, r.off
}

// names reads the three strings of an entry.
func (r *entryReader) names(m *Message, same bool) {
	start := r.off
	cf, ct := r.span()
	df, dt := cf, ct
	if !same {
		df, dt = r.span()
	}
	tf, tt := r.span()
	if r.err != nil {
		return
	}
	text := string(r.body[start:tt])
	m.Client, m.Device, m.Topic = text[cf-start:ct-start], text[df-start:dt-start], text[tf-start:tt-start]
}
