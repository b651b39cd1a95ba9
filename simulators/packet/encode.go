package packet

import "encoding/binary"

// Type is the packet type of MQTT 3.1.1, section 2.2.1.
type Type byte

// The types that are used here.
const (
	TypeConnect    Type = 1
	TypeConnack    Type = 2
	TypePublish    Type = 3
	TypePuback     Type = 4
	TypeSubscribe  Type = 8
	TypeSuback     Type = 9
	TypePingreq    Type = 12
	TypePingresp   Type = 13
	TypeDisconnect Type = 14
)

// Connect is a CONNECT packet. An empty Username sends no credentials.
type Connect struct {
	ClientID, Username string
	Password           []byte
	KeepAlive          uint16 // seconds, 0 = none
	CleanSession       bool
	Will               *Publish // Topic, Payload, QoS and Retain are used
}

// Publish is a PUBLISH packet. ID is not sent with QoS 0.
type Publish struct {
	Topic       string
	Payload     []byte
	ID          uint16
	QoS         byte
	Retain, Dup bool
}

// Append encodes c behind b.
func (c Connect) Append(b []byte) []byte {
	n := 10 + 2 + len(c.ClientID)
	var flags byte
	if c.CleanSession {
		flags |= 0x02
	}
	if w := c.Will; w != nil {
		n += 4 + len(w.Topic) + len(w.Payload)
		flags |= 0x04 | w.QoS<<3 | bit(w.Retain, 0x20)
	}
	if c.Username != "" {
		n += 4 + len(c.Username) + len(c.Password)
		flags |= 0xC0
	}
	b = appendHeader(b, byte(TypeConnect)<<4, n)
	b = append(b, 0, 4, 'M', 'Q', 'T', 'T', 4, flags)
	b = binary.BigEndian.AppendUint16(b, c.KeepAlive)
	b = appendText(b, c.ClientID)
	if c.Will != nil {
		b = appendText(b, c.Will.Topic)
		b = appendText(b, string(c.Will.Payload))
	}
	if c.Username != "" {
		b = appendText(b, c.Username)
		b = appendText(b, string(c.Password))
	}
	return b
}

// Append encodes p behind b.
func (p Publish) Append(b []byte) []byte {
	n := 2 + len(p.Topic) + len(p.Payload)
	if p.QoS > 0 {
		n += 2
	}
	b = appendHeader(b, byte(TypePublish)<<4|bit(p.Dup, 8)|p.QoS<<1|bit(p.Retain, 1), n)
	b = appendText(b, p.Topic)
	if p.QoS > 0 {
		b = binary.BigEndian.AppendUint16(b, p.ID)
	}
	return append(b, p.Payload...)
}

// AppendPuback encodes a PUBACK behind b.
func AppendPuback(b []byte, id uint16) []byte {
	return binary.BigEndian.AppendUint16(append(b, byte(TypePuback)<<4, 2), id)
}

// AppendSubscribe encodes a SUBSCRIBE to one filter behind b.
func AppendSubscribe(b []byte, id uint16, filter string, qos byte) []byte {
	b = appendHeader(b, byte(TypeSubscribe)<<4|2, 2+2+len(filter)+1)
	return append(appendText(binary.BigEndian.AppendUint16(b, id), filter), qos)
}

// AppendPing encodes a PINGREQ behind b.
func AppendPing(b []byte) []byte { return append(b, byte(TypePingreq)<<4, 0) }

// AppendDisconnect encodes a DISCONNECT behind b.
func AppendDisconnect(b []byte) []byte { return append(b, byte(TypeDisconnect)<<4, 0) }

func appendHeader(b []byte, first byte, n int) []byte {
	b = append(b, first)
	for n >= 0x80 {
		b = append(b, byte(n)|0x80)
		n >>= 7
	}
	return append(b, byte(n))
}

func appendText(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

func bit(set bool, mask byte) byte {
	if set {
		return mask
	}
	return 0
}
