package broker

import (
	"errors"

	"github.com/mochi-mqtt/server/v2/packets"
)

// bridgeBit in the protocol level of a CONNECT says that the client is another broker's bridge. Mosquitto sets it unless it is told not
// to (try_private).
const bridgeBit = 0x80

// errLevel ends a connection that speaks a version of MQTT which is not spoken here.
var errLevel = errors.New("protocol level is not supported")

// decodeConnect makes the library's packet of a CONNECT, whose body is the caller's to change. Who speaks another version of MQTT is told
// so in the form that all versions before 5 know (MQTT 3.1.2-2).
func (c *conn) decodeConnect(pk *packets.Packet, body []byte) error {
	at, level, err := protocolOf(body)
	if err != nil {
		if errors.Is(err, errLevel) {
			c.send([]byte{packets.Connack << 4, 2, 0, packets.Err3UnsupportedProtocolVersion.Code})
		}
		return err
	}
	c.bridge = body[at]&bridgeBit != 0
	body[at] = level
	return pk.ConnectDecode(body)
}

// protocolOf gives the level of a CONNECT without the bridge bit, and where it is.
func protocolOf(body []byte) (at int, level byte, err error) {
	in := cursor{rest: body}
	name := string(in.text())
	at = len(body) - len(in.rest)
	raw := in.take(1)
	if in.bad {
		return 0, 0, errMalformed
	}
	switch level = raw[0]; {
	case name != "MQTT" && name != "MQIsdp":
		return 0, 0, fault{codeProtocol, "the protocol is not MQTT"}
	case name == "MQTT" && level == 5:
		return at, level, nil // its bridges have no bit
	}
	level &^= bridgeBit
	if name == "MQTT" && level == 4 || name == "MQIsdp" && level == 3 {
		return at, level, nil
	}
	return 0, 0, errLevel
}

// validConnect checks what MQTT forbids in a CONNECT that could be read. The library's own check also refuses wills and passwords of no
// bytes, which MQTT allows.
func validConnect(pk *packets.Packet) packets.Code {
	switch in := &pk.Connect; {
	case pk.ReservedBit != 0:
		return packets.ErrProtocolViolationReservedBit
	case in.WillFlag && (in.WillTopic == "" || in.WillQos > 2):
		return packets.ErrProtocolViolationQosOutOfRange
	case !in.WillFlag && in.WillRetain:
		return packets.ErrProtocolViolationWillFlagSurplusRetain
	}
	return packets.CodeSuccess
}
