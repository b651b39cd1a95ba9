package packet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Sentinel errors.
var (
	ErrMalformed = errors.New("packet: malformed")
	ErrTooLarge  = errors.New("packet: too large")
)

// Packet is one packet as read. Body is valid until the next call of Next.
type Packet struct {
	Type  Type
	Flags byte // low four bits of the first byte
	Body  []byte
}

// Reader reads packets from a connection.
type Reader struct {
	in  *bufio.Reader
	max int
	buf []byte
}

// NewReader reads packets of up to limit bytes of body from r, through a buffer of size bytes.
func NewReader(r io.Reader, size, limit int) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, size), max: limit}
}

// Next blocks for the next packet. io.EOF means that the connection ended between packets.
func (r *Reader) Next() (Packet, error) {
	first, err := r.in.ReadByte()
	if err != nil {
		return Packet{}, err
	}
	n, err := r.length()
	if err != nil {
		return Packet{}, err
	}
	if n > r.max {
		return Packet{}, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, r.max)
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n)
	}
	body := r.buf[:n]
	if _, err := io.ReadFull(r.in, body); err != nil {
		return Packet{}, unexpected(err)
	}
	return Packet{Type: Type(first >> 4), Flags: first & 0xF, Body: body}, nil
}

// Ready reports whether Next would return a small packet without waiting.
func (r *Reader) Ready() bool {
	if r.in.Buffered() < 2 {
		return false
	}
	head, err := r.in.Peek(2)
	return err == nil && head[1] < 0x80 && r.in.Buffered() >= 2+int(head[1])
}

// length reads the variable length integer of section 2.2.3, at most four bytes.
func (r *Reader) length() (int, error) {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		c, err := r.in.ReadByte()
		if err != nil {
			return 0, unexpected(err)
		}
		n |= int(c&0x7F) << shift
		if c < 0x80 {
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: remaining length of five bytes", ErrMalformed)
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Puback gives the packet id of a PUBACK.
func (p Packet) Puback() (uint16, error) {
	if p.Type != TypePuback || len(p.Body) != 2 {
		return 0, fmt.Errorf("%w: want PUBACK of 2 bytes, have type %d of %d", ErrMalformed, p.Type, len(p.Body))
	}
	return binary.BigEndian.Uint16(p.Body), nil
}

// Suback gives the packet id and the return code of a SUBACK for one filter; codes above 2 are refusals.
func (p Packet) Suback() (id uint16, code byte, err error) {
	if p.Type != TypeSuback || len(p.Body) != 3 {
		return 0, 0, fmt.Errorf("%w: want SUBACK of 3 bytes, have type %d of %d", ErrMalformed, p.Type, len(p.Body))
	}
	return binary.BigEndian.Uint16(p.Body), p.Body[2], nil
}

// Connack gives the return code of a CONNACK; 0 is accepted.
func (p Packet) Connack() (byte, error) {
	if p.Type != TypeConnack || len(p.Body) != 2 {
		return 0, fmt.Errorf("%w: want CONNACK of 2 bytes, have type %d of %d", ErrMalformed, p.Type, len(p.Body))
	}
	return p.Body[1], nil
}

// Publish decodes a PUBLISH; Payload shares the packet's memory.
func (p Packet) Publish() (Publish, error) {
	out := Publish{QoS: p.Flags >> 1 & 3, Retain: p.Flags&1 != 0, Dup: p.Flags&8 != 0}
	if p.Type != TypePublish || out.QoS == 3 {
		return out, fmt.Errorf("%w: type %d with QoS %d is no PUBLISH", ErrMalformed, p.Type, out.QoS)
	}
	topic, rest, err := text(p.Body)
	if err != nil {
		return out, err
	}
	out.Topic = string(topic)
	if out.QoS > 0 {
		if len(rest) < 2 {
			return out, fmt.Errorf("%w: PUBLISH without packet id", ErrMalformed)
		}
		out.ID, rest = binary.BigEndian.Uint16(rest), rest[2:]
	}
	out.Payload = rest
	return out, nil
}

func text(b []byte) (head, rest []byte, err error) {
	if len(b) < 2 || len(b) < 2+int(binary.BigEndian.Uint16(b)) {
		return nil, nil, fmt.Errorf("%w: text runs over the end", ErrMalformed)
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	return b[2:n], b[n:], nil
}
