package broker

import (
	"math"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// takeoverLimit bounds the wait for the previous connection of a client id to end. It only has to write its records.
const takeoverLimit = 5 * time.Second

// signIn checks a CONNECT and makes c a session. It runs on c's goroutine.
func (b *Broker) signIn(c *conn, cl *mqtt.Client, pk packets.Packet) packets.Code {
	username := string(pk.Connect.Username)
	if pk.Properties.AuthenticationMethod != "" {
		return packets.ErrBadAuthenticationMethod
	}
	if code := b.nameClient(cl, username, pk.Connect.ClientIdentifier); code != packets.CodeSuccess {
		return b.denied(c, username, code)
	}
	who, err := b.directory.Authenticate(username, cl.ID, pk.Connect.Password)
	if err != nil {
		return b.denied(c, username, packets.ErrBadUsernameOrPassword)
	}
	c.who, c.client, c.restart = who, cl.ID, pk.Connect.Clean
	c.window, c.maxPacket = math.MaxUint16, cl.Properties.Props.MaximumPacketSize
	if pk.Properties.ReceiveMaximum > 0 {
		c.window = pk.Properties.ReceiveMaximum
	}
	w, ok := b.willOf(c, pk)
	if !ok {
		return b.denied(c, username, notAuthorized(c.v5))
	}
	c.will = w
	b.clampKeepalive(c, cl, pk.Connect.Keepalive)
	return b.beginSession(c, cl, pk)
}

// nameClient checks the client id, or gives a client without one an id of its own.
func (b *Broker) nameClient(cl *mqtt.Client, username, id string) packets.Code {
	if !telemetry.ValidID(username) {
		return packets.ErrBadUsernameOrPassword
	}
	if id == "" {
		cl.ID = username + "~auto" + strconv.FormatUint(b.nextConn.Add(1), 36)
		cl.Properties.Props.AssignedClientID = cl.ID
		return packets.CodeSuccess
	}
	suffix, cut := strings.CutPrefix(id, username)
	if cut && (suffix == "" || suffix[0] == '~' && telemetry.ValidID(suffix[1:])) {
		return packets.CodeSuccess
	}
	return packets.ErrClientIdentifierNotValid
}

// denied counts a failure. The name is logged only when it can be a device's: anything else may be a secret in the wrong field.
func (b *Broker) denied(c *conn, username string, code packets.Code) packets.Code {
	b.count.authFail.Add(1)
	if !telemetry.ValidID(username) {
		username = "(no device id)"
	}
	b.log.Debug("sign-in refused", "device", username, "remote", c.RemoteAddr().String(), "code", code.Code)
	return code
}

// notAuthorized is 0x87, for which the library has no translation to v3's return code 5.
func notAuthorized(v5 bool) packets.Code {
	if v5 {
		return packets.ErrNotAuthorized
	}
	return packets.ErrBadUsernameOrPassword
}

func (b *Broker) clampKeepalive(c *conn, cl *mqtt.Client, seconds uint16) {
	c.keepalive = time.Duration(seconds) * time.Second
	if seconds > 0 && c.keepalive <= b.cfg.MaxKeepalive {
		return
	}
	c.keepalive = b.cfg.MaxKeepalive
	cl.State.Keepalive = uint16(b.cfg.MaxKeepalive / time.Second)
	cl.State.ServerKeepalive = true // v5 is told
}

// beginSession takes the client id over, records the session and lets messages in.
func (b *Broker) beginSession(c *conn, cl *mqtt.Client, pk packets.Packet) packets.Code {
	if !b.takeOver(c) {
		return packets.ErrServerBusy
	}
	if !pk.Connect.Clean {
		c.qos2 = b.sessions.resume(c)
	} else {
		b.sessions.drop(c.client)
	}
	b.wills.cancel(c.client)
	c.lib = cl
	b.count.sessions.Add(1)
	remote := c.RemoteAddr().String()
	if err := b.record(c, journal.Connect, connected{Protocol: pk.ProtocolVersion, Remote: remote, Clean: c.restart}); err != nil {
		b.complain(err)
		return packets.ErrServerUnavailable
	}
	c.extend()
	return packets.CodeSuccess
}

// takeOver closes an older connection of the same client id and waits until it has written its last record, so that the order
// in the journal is the order of events and the library never meets two connections of one client. The old socket may be half
// open: nobody waits for it.
func (b *Broker) takeOver(c *conn) bool {
	limit := time.NewTimer(takeoverLimit)
	defer limit.Stop()
	for {
		old := b.table.claim(c)
		if old == nil {
			return true
		}
		old.bye(codeTakenOver, reasonTakeover)
		select {
		case <-old.ended:
		case <-limit.C:
			return false
		}
	}
}
