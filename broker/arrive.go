package broker

import (
	"errors"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

const (
	maxQueue   = 10 * time.Second // a client that would have to wait longer for its turn to sign in is closed: it will come again
	spareFiles = 128              // kept back from connections: the journal, the page, the log, InfluxDB
)

// errCrowd ends a connection that would have to wait too long.
var errCrowd = errors.New("too many at once")

// mostConnections fits the cap to the files that the process may have open, 0 = unknown.
func mostConnections(configured, files int) int {
	if files == 0 {
		return configured
	}
	return max(1, min(configured, files-spareFiles))
}

// arrive handles CONNECT. Its secret is looked at first, which is cheap: who knows it waits for its turn in a storm and is no stranger
// any more; who does not takes nobody's turn, and is refused the later the more often its address was.
func (c *conn) arrive(f frame) error {
	if err := c.aside(f, c.b.vet); err != nil {
		return err
	}
	now := time.Now()
	wait, ok := time.Duration(0), true
	if c.vetted {
		c.visitor.leave()
		wait, ok = c.b.pace.queue(now, maxQueue)
	} else {
		wait = c.b.door.failed(c.RemoteAddr(), now)
	}
	if c.rest(wait); !ok {
		return errCrowd
	}
	if c.closed() {
		return errClosing
	}
	return c.aside(f, c.b.open)
}

// vet looks whether a CONNECT has the right secret. What is wrong with it otherwise is for open to say.
func (b *Broker) vet(c *conn, pk packets.Packet) error {
	cl := &mqtt.Client{ID: pk.Connect.ClientIdentifier}
	cert := c.certificate()
	username, secret := b.credentials(cl, &pk, cert)
	if !telemetry.ValidID(username) {
		return nil
	}
	named := b.nameClient(cl, username, pk)
	_, err := b.identify(cert, username, nominal(cl.ID, username, named), secret)
	c.vetted = err == nil || errors.Is(err, registry.ErrClientID)
	return nil
}
