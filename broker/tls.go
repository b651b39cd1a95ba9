package broker

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"watchhouse/certs"
	"watchhouse/registry"
)

// tlsSocket is TLS over TCP.
type tlsSocket struct {
	*tls.Conn
	tcp net.Conn
}

func newTLSSocket(tcp net.Conn, cfg *tls.Config) tlsSocket {
	return tlsSocket{tls.Server(tcp, cfg), tcp}
}

// Write leaves no deadline behind: an answer to a key update, which crypto/tls sends while it reads, would fail by it.
func (s tlsSocket) Write(p []byte) (int, error) {
	n, err := s.Conn.Write(p)
	return n, errors.Join(err, s.SetWriteDeadline(time.Time{}))
}

// Close closes the TCP connection. The library's own Close says goodbye first, for which it may wait 5 s while the connection's lock is
// held; MQTT needs no such goodbye, its packets say where they end.
func (s tlsSocket) Close() error { return s.tcp.Close() }

// SetLinger is TCP's.
func (s tlsSocket) SetLinger(seconds int) error { return linger(s.tcp, seconds) }

// linger sets how long the system keeps what is unsent after Close.
func linger(c net.Conn, seconds int) error {
	if tcp, ok := c.(interface{ SetLinger(seconds int) error }); ok {
		return tcp.SetLinger(seconds)
	}
	return nil
}

// greet does the handshake of a TLS connection, within the time to CONNECT. It runs on a goroutine of its own, whose large stack ends
// with it. Failures are counted and, at this pace, not logged: everybody on the network can make them.
func (c *conn) greet() error {
	s, ok := c.sock.(tlsSocket)
	if !ok {
		return nil
	}
	done := make(chan error, 1)
	go func() {
		err := errPanicked
		defer func() { done <- err }()
		defer c.b.contain(c, "handshake")
		err = c.shakeHands(s)
	}()
	err := <-done
	if err != nil {
		c.b.count.handshakes.Add(1)
	}
	return err
}

func (c *conn) shakeHands(s tlsSocket) error {
	wait, ok := c.b.door.shake(c.RemoteAddr(), time.Now(), c.b.cfg.MaxConnectRate, c.b.cfg.ConnectTimeout/2)
	if !ok {
		return errCrowd
	}
	c.rest(wait)
	if err := s.SetDeadline(c.deadline); err != nil {
		return err
	}
	if c.closed() { // stop came between: its deadline must not be overwritten
		return net.ErrClosed
	}
	if err := s.Handshake(); err != nil {
		return err
	}
	return s.SetWriteDeadline(time.Time{})
}

// secured is a socket over TLS.
type secured interface{ ConnectionState() tls.ConnectionState }

// certificate is the verified one that the client has shown, nil without.
func (c *conn) certificate() *x509.Certificate {
	s, ok := c.sock.(secured)
	if !ok {
		return nil
	}
	state := s.ConnectionState()
	if len(state.VerifiedChains) == 0 {
		return nil
	}
	return state.PeerCertificates[0]
}

// userOf is the user name of a CONNECT; without one a certificate that names one device speaks for it.
func userOf(cert *x509.Certificate, pk *packets.Packet) string {
	if pk.Connect.UsernameFlag {
		return string(pk.Connect.Username)
	}
	if names := certs.Names(cert); len(names) == 1 {
		return names[0]
	}
	return ""
}

// identify finds out who it is: by the secret, by the certificate that was shown, or by both.
func (b *Broker) identify(cert *x509.Certificate, username, clientID string, secret []byte) (registry.Principal, error) {
	switch {
	case cert == nil:
		return b.directory.Authenticate(username, clientID, secret)
	case !slices.Contains(certs.Names(cert), username):
		return registry.Principal{}, registry.ErrUnauthorized
	case len(secret) > 0: // a wrong one is not overlooked
		return b.directory.Authenticate(username, clientID, secret)
	}
	return b.directory.Certified(username, clientID)
}

// mayStay tells whether a client that signed in could do so now: nothing has changed in the registry, and its certificate is not revoked.
// It is asked once the connection is in the table, and for all that are there whenever something changes, so nobody slips through.
func (b *Broker) mayStay(c *conn) bool {
	if s, ok := c.sock.(secured); ok && b.certificates != nil && !b.certificates.Admits(s.ConnectionState()) {
		return false
	}
	return b.directory.Stands(c.who)
}

// Recheck disconnects those who may not stay, after a reload of the certificates.
func (b *Broker) Recheck() { b.dismiss() }
