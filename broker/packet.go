package broker

import (
	"encoding/binary"
	"unicode/utf8"
)

// publish is a decoded PUBLISH; its slices share the frame's memory.
type publish struct {
	topic       []byte // empty when only the alias was sent
	payload     []byte
	props       []byte // v5: the properties to hand on, as sent but for the alias
	id          uint16
	alias       uint16 // v5: 0 = none
	aliased     bool
	qos         byte
	retain, dup bool
}

// decodePublish follows MQTT 3.3 of both versions. The topic's form is checked by validTopic, not here.
func decodePublish(f frame, v5 bool) (p publish, err error) {
	flags := f.raw[0]
	p.retain, p.dup, p.qos = flags&1 != 0, flags&8 != 0, flags>>1&3
	if p.qos == 3 || p.dup && p.qos == 0 {
		return p, errMalformed
	}
	c := cursor{rest: f.body}
	p.topic = c.text()
	if p.qos > 0 {
		if p.id = c.uint16(); p.id == 0 {
			return p, errMalformed
		}
	}
	if v5 {
		p.readProperties(c.take(c.varint()))
		c.bad = c.bad || p.props == nil
	}
	p.payload = c.rest
	if c.bad {
		return p, errMalformed
	}
	return p, nil
}

// Property identifiers that a client may send in PUBLISH.
const (
	propPayloadFormat   = 1
	propMessageExpiry   = 2
	propContentType     = 3
	propResponseTopic   = 8
	propCorrelationData = 9
	propSubscriptionID  = 11
	propTopicAlias      = 35
	propUser            = 38
)

// readProperties checks raw and takes the alias out of it. p.props stays nil when raw is malformed.
func (p *publish) readProperties(raw []byte) {
	keep := raw[:0:0]
	c := cursor{rest: raw}
	for len(c.rest) > 0 && !c.bad {
		before := c.rest
		switch before[0] {
		case propPayloadFormat:
			c.take(2)
		case propMessageExpiry:
			c.take(5)
		case propContentType, propResponseTopic, propCorrelationData:
			c.take(1)
			c.text()
		case propUser:
			c.take(1)
			c.text()
			c.text()
		case propTopicAlias:
			c.take(1)
			c.bad = c.bad || p.aliased
			p.alias, p.aliased = c.uint16(), true
			continue
		default:
			c.bad = true
		}
		keep = append(keep, before[:len(before)-len(c.rest)]...)
	}
	if !c.bad {
		p.props = keep
	}
}

// validTopic reports whether t may be published to: not empty, UTF-8, neither wildcard nor NUL.
func validTopic(t []byte) bool {
	for _, b := range t {
		if b == '+' || b == '#' || b == 0 {
			return false
		}
	}
	return len(t) > 0 && utf8.Valid(t)
}

// cursor reads MQTT's primitive types; after a fault bad is set and everything reads as empty.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.rest) {
		c.bad, c.rest = true, nil
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) uint16() uint16 {
	if b := c.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) text() []byte { return c.take(int(c.uint16())) }

func (c *cursor) varint() int {
	n := 0
	for shift := 0; shift < 28; shift += 7 {
		b := c.take(1)
		if b == nil {
			return 0
		}
		n |= int(b[0]&0x7f) << shift
		if b[0]&0x80 == 0 {
			return n
		}
	}
	c.bad = true
	return 0
}

// appendVarint writes n as MQTT writes lengths.
func appendVarint(b []byte, n int) []byte {
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func varintLen(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// appendAck writes PUBACK, PUBREC, PUBREL or PUBCOMP in its shortest form; code 0 is success and left out.
func appendAck(b []byte, kind byte, id uint16, code byte) []byte {
	head := kind << 4
	if kind == typePubrel {
		head |= 2
	}
	if code == 0 {
		return append(b, head, 2, byte(id>>8), byte(id))
	}
	return append(b, head, 3, byte(id>>8), byte(id), code)
}
