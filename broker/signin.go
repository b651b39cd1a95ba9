package broker

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// takeoverLimit bounds the wait for the previous connection of a client id to end. It only has to write its records.
const takeoverLimit = 5 * time.Second

// open handles CONNECT: it makes the connection a session or refuses it.
func (b *Broker) open(c *conn, pk packets.Packet) error {
	cl := b.lib.NewClient(nil, "mqtt", "", false)
	cl.Net.Conn, cl.Net.Remote = c, c.RemoteAddr().String()
	cl.ParseConnect("mqtt", pk)
	forget(cl)
	c.mu.Lock()
	c.v5 = pk.ProtocolVersion == 5
	c.mu.Unlock()
	code := validConnect(&pk)
	if code == packets.CodeSuccess {
		code = b.signIn(c, cl, pk)
	}
	if code != packets.CodeSuccess {
		b.refuse(c, cl, code)
		return errRefused
	}
	present := b.inherit(c, cl)
	b.lib.Clients.Add(cl)
	if err := b.lib.SendConnack(cl, packets.CodeSuccess, present, nil); err != nil {
		return err
	}
	b.door.welcome(c.who.ID, c.RemoteAddr())
	c.mu.Lock()
	c.ready = true
	c.mu.Unlock()
	return nil
}

// forget takes out of the library's client what it has no business with: the will, which is ours, and everything else that would
// keep the CONNECT packet, the password in it too, in memory as long as the session lasts.
func forget(cl *mqtt.Client) {
	p := &cl.Properties
	p.Will, p.Username = mqtt.Will{}, nil
	cl.ID = strings.Clone(cl.ID)
	p.Props = packets.Properties{
		AssignedClientID:          p.Props.AssignedClientID,
		SessionExpiryInterval:     p.Props.SessionExpiryInterval,
		SessionExpiryIntervalFlag: p.Props.SessionExpiryIntervalFlag,
		MaximumPacketSize:         p.Props.MaximumPacketSize,
		RequestProblemInfo:        p.Props.RequestProblemInfo,
		RequestProblemInfoFlag:    p.Props.RequestProblemInfoFlag,
	}
}

// errRefused ends a connection whose CONNECT was answered with no.
var errRefused = errors.New("sign-in refused")

// refuse answers a CONNECT with no. v3 has five answers; for anything else its connection just closes.
func (b *Broker) refuse(c *conn, cl *mqtt.Client, code packets.Code) {
	if _, known := packets.V5CodesToV3[code]; c.v5 || known {
		_ = b.lib.SendConnack(cl, code, false, nil)
	}
}

// inherit takes over the subscriptions of an earlier session, which are filed under the client id, or ends that session. Session present
// is said of a session of which something is left: subscriptions, or QoS 2 messages that the client may repeat.
func (b *Broker) inherit(c *conn, cl *mqtt.Client) (present bool) {
	old, ok := b.lib.Clients.Get(cl.ID)
	switch {
	case !ok:
		return false
	case c.restart:
		b.dropClient(old)
		return false
	}
	kept := old.State.Subscriptions.GetAll()
	for filter, sub := range kept {
		cl.State.Subscriptions.Add(filter, sub)
	}
	return len(kept) > 0 || !c.qos2.empty()
}

// signIn checks a valid CONNECT and begins the session.
func (b *Broker) signIn(c *conn, cl *mqtt.Client, pk packets.Packet) packets.Code {
	cert := c.certificate()
	username, secret := b.credentials(cl, &pk, cert)
	if pk.Properties.AuthenticationMethod != "" {
		return packets.ErrBadAuthenticationMethod
	}
	if !telemetry.ValidID(username) {
		return b.denied(c, username, packets.ErrBadUsernameOrPassword)
	}
	named := b.nameClient(cl, username, pk)
	who, err := b.identify(cert, username, nominal(cl.ID, username, named), secret)
	switch {
	case err != nil && !errors.Is(err, registry.ErrClientID):
		return b.denied(c, username, packets.ErrBadUsernameOrPassword)
	case err != nil || !named:
		return b.turnDown(c, username, pk.Connect.ClientIdentifier, string(secret), RefusedClientID, packets.ErrClientIdentifierNotValid)
	}
	c.who, c.client, c.restart = who, cl.ID, pk.Connect.Clean
	c.window, c.maxPacket = math.MaxUint16, pk.Properties.MaximumPacketSize
	if pk.Properties.ReceiveMaximum > 0 {
		c.window = pk.Properties.ReceiveMaximum
	}
	w, ok := b.willOf(c, pk)
	if !ok {
		return b.turnDown(c, username, cl.ID, string(secret), RefusedWill, notAuthorized(c.v5))
	}
	c.will = w
	b.clampKeepalive(c, cl, pk.Connect.Keepalive)
	if code := b.enroll(c); code != packets.CodeSuccess {
		return b.denied(c, username, code)
	}
	return b.beginSession(c, cl, pk)
}

// nameClient checks the client id, or gives a client without one an id of its own.
func (b *Broker) nameClient(cl *mqtt.Client, username string, pk packets.Packet) (ok bool) {
	id := pk.Connect.ClientIdentifier
	switch {
	case id == "" && pk.ProtocolVersion < 5 && !pk.Connect.Clean:
		return false // MQTT 3.1.3-8
	case id == "":
		cl.ID = username + "~auto" + strconv.FormatUint(b.nextConn.Add(1), 36)
		cl.Properties.Props.AssignedClientID = cl.ID
		return true
	}
	suffix, cut := strings.CutPrefix(id, username)
	return cut && (suffix == "" || suffix[0] == '~' && telemetry.ValidID(suffix[1:]))
}

// nominal is the client id under which a secret is checked: a client id that cannot be is named to nobody who does not know the secret.
func nominal(id, username string, ok bool) string {
	if ok {
		return id
	}
	return username
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
		return packets.ErrServerUnavailable
	}
	if !b.mayStay(c) { // changed since it was checked, and before dismiss could find it in the table
		return b.denied(c, c.who.ID, packets.ErrBadUsernameOrPassword)
	}
	c.lib = cl
	b.count.sessions.Add(1)
	c.restart = c.restart || b.sessions.over(c.client, time.Now())
	if c.restart {
		b.sessions.drop(c.client)
	} else {
		c.qos2 = b.sessions.resume(c)
	}
	b.wills.cancel(c.client)
	b.refusals.clear(c.who.ID)
	if err := b.record(c, journal.Connect, c.connectRecord(pk.ProtocolVersion)); err != nil {
		b.complain(err)
		if c.v5 && errors.Is(err, journal.ErrSenderFull) {
			return packets.ErrQuotaExceeded
		}
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
