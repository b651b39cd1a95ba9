package broker

import (
	"bytes"
	"errors"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"
)

// aside hands a control packet to the library on a goroutine of its own and waits for it. The library passes packets of a
// kilobyte and more by value: on the connection's goroutine they would blow up its stack to 16 KB for good. And it panics on some
// malformed packets: then only this connection ends.
func (c *conn) aside(f frame, handle func(*conn, packets.Packet) error) error {
	done := make(chan error, 1)
	go func() {
		err := errPanicked
		defer func() { done <- err }()
		defer c.b.contain(c, "control packet")
		pk, decodeErr := c.decode(f)
		if err = decodeErr; err == nil {
			err = errPanicked
			err = handle(c, pk)
		}
	}()
	return <-done
}

// decode makes the library's packet. It keeps pieces of its input, so that is copied.
func (c *conn) decode(f frame) (pk packets.Packet, err error) {
	if err := pk.FixedHeader.Decode(f.raw[0]); err != nil {
		return pk, err
	}
	pk.FixedHeader.Remaining = len(f.body)
	if c.v5 {
		pk.ProtocolVersion = 5
	}
	body := bytes.Clone(f.body)
	switch f.kind() {
	case typeConnect:
		err = c.decodeConnect(&pk, body)
	case typeSubscribe:
		if !wholeFilters(body, c.v5) {
			return pk, errMalformed
		}
		err = pk.SubscribeDecode(body)
		ownFilters(pk.Filters)
	case typeUnsub:
		err = pk.UnsubscribeDecode(body)
	case typeDisconnect:
		err = pk.DisconnectDecode(body)
	case typeAuth:
		err = pk.AuthDecode(body)
	default:
		err = errMalformed
	}
	return pk, err
}

// ownFilters gives each filter a string of its own. The library's share the packet, and one that is kept for as long as a session lasts
// would keep all of it.
func ownFilters(list packets.Subscriptions) {
	for i := range list {
		list[i].Filter = strings.Clone(list[i].Filter)
	}
}

// wholeFilters reports whether each filter of a SUBSCRIBE has its options byte. The library reads past the end of one that has not.
func wholeFilters(body []byte, v5 bool) bool {
	in := cursor{rest: body}
	in.uint16()
	if v5 {
		in.take(in.varint())
	}
	for len(in.rest) > 0 && !in.bad {
		in.text()
		in.take(1)
	}
	return !in.bad
}

// errPanicked ends a connection that contain has cut already.
var errPanicked = errors.New("panic while handling a control packet")

// control lets the library process a packet of a session.
func (b *Broker) control(c *conn, pk packets.Packet) error {
	if pk.FixedHeader.Type == packets.Subscribe {
		return b.subscribe(c, pk)
	}
	defer c.pay(controlShare, 1)
	return b.lib.InjectPacket(c.lib, pk)
}
