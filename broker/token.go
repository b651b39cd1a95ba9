package broker

import (
	"crypto/x509"
	"strings"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/telemetry"
)

// credentials gives the id and the secret of a CONNECT. A device that only knows an access token (ThingsBoard's API) has both in the
// user name, {id}.{secret}, and no password. Its client id can be anything, and often is the token: the session gets one that begins
// with the device's id. A user name that is such a token, or might be one, leaves here as id only, or not at all. Who has shown a
// certificate needs no secret.
func (b *Broker) credentials(cl *mqtt.Client, pk *packets.Packet, cert *x509.Certificate) (username string, secret []byte) {
	name := string(pk.Connect.Username)
	if len(pk.Connect.Password) > 0 {
		return name, pk.Connect.Password
	}
	id, token, ok := strings.Cut(name, ".")
	if !ok && cert != nil {
		return userOf(cert, pk), nil
	}
	if !ok || token == "" || !b.directory.Known(id) {
		return "", nil
	}
	if given := pk.Connect.ClientIdentifier; given != "" {
		cl.ID = clientOf(id, token, given)
		pk.Connect.ClientIdentifier = cl.ID
	}
	return id, []byte(token)
}

// clientOf makes a client id of the device's own out of what the client has given.
func clientOf(id, token, given string) string {
	switch {
	case strings.Contains(given, token):
	case given == id || strings.HasPrefix(given, id+"~"):
		return given
	case telemetry.ValidID(given):
		return id + "~" + given
	}
	return id + "~token"
}
