package broker

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"watchhouse/registry"
)

// socket is what a connection needs of TCP or of a WebSocket; write deadlines are its own business.
type socket interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
	Close() error
	LocalAddr() net.Addr
	RemoteAddr() net.Addr
}

// conn is the net.Conn that the MQTT library is given in place of a socket. Reads hand it control packets only, one at a time:
// what concerns messages (PUBLISH and the four kinds of ack) is dealt with here. Writes never block: they append to out, and a
// goroutine that exists only while there is something to send carries it to the socket.
type conn struct {
	b     *Broker
	sock  socket
	num   uint64
	ended chan struct{} // closed when the connection's goroutine is done with it, records written

	// Of the reading goroutine alone.
	frames   frameReader
	pass     []byte // what the library has not read yet of a control packet
	slab     []byte // memory that the payloads of the packets at hand are copied to
	routes   routeCache
	aliases  map[uint16]string
	deadline time.Time // the read deadline as set
	started  bool      // CONNECT has come
	clean    bool      // the client said goodbye
	replay   []outgoing

	// Set at sign-in, before the connection is in the table; read only afterwards.
	session

	refused   atomic.Bool // telemetry is dropped until the connection closes (v3)
	impatient bool        // reading goroutine: it has waited for telemetry's cap in vain

	mu    sync.Mutex
	flows [laneCount]flow
	room  chan struct{} // wakes the reading goroutine that waits for a flow
	shed  *time.Timer   // the jittered close
	qos2  *inbound2     // QoS 2 messages that the client may repeat
	writer

	readable     map[string]bool // decisions about deliveries, of one revision
	readRevision uint64
}

// session is who is at the other end.
type session struct {
	who       registry.Principal
	client    string // client id
	keepalive time.Duration
	will      *will
	lib       *mqtt.Client
	v5        bool
	window    uint16 // the client's Receive Maximum
	maxPacket uint32 // the client's Maximum Packet Size, 0 = none
	restart   bool   // clean start
}

// Reasons why a connection ended, as its disconnect record says them.
const (
	reasonGoodbye   = "disconnect"
	reasonClosed    = "closed"
	reasonKeepalive = "keepalive"
	reasonProtocol  = "protocol"
	reasonTakeover  = "takeover"
	reasonShutdown  = "shutdown"
	reasonRevoked   = "revoked"
	reasonJournal   = "journal"
	reasonShed      = "shed"
	reasonRejects   = "rejects"
	reasonSlow      = "slow"
	reasonPanic     = "panic"
)

// Reason codes of MQTT 5 that the broker itself sends.
const (
	codeMalformed     = 0x81
	codeProtocol      = 0x82
	codeNotAuthorized = 0x87
	codeBusy          = 0x89
	codeShutdown      = 0x8B
	codeTakenOver     = 0x8E
	codeBadTopic      = 0x90
	codeIDNotFound    = 0x92
	codeBadAlias      = 0x94
	codeTooLarge      = 0x95
	codeQuota         = 0x97
	codeAdministrator = 0x98
)

func (b *Broker) newConn(sock socket) *conn {
	c := &conn{b: b, sock: sock, num: b.nextConn.Add(1), ended: make(chan struct{})}
	c.frames = frameReader{read: c.receive, pool: b.buffers, limit: min(maxConnectBytes, b.cfg.MaxPacketBytes)}
	c.deadline = time.Now().Add(b.cfg.ConnectTimeout)
	return c
}

// Read gives the library the next control packet. An error ends the connection.
func (c *conn) Read(p []byte) (int, error) {
	for len(c.pass) == 0 {
		f, err := c.frames.next()
		if err == nil {
			err = c.take(f)
		}
		if err != nil {
			return 0, c.explain(err)
		}
	}
	n := copy(p, c.pass)
	c.pass = c.pass[n:]
	return n, nil
}

// take handles a packet or leaves it for the library in pass.
func (c *conn) take(f frame) error {
	if !c.started {
		if f.kind() != typeConnect {
			return fault{codeProtocol, "the first packet was not CONNECT"}
		}
		c.started = true
		c.frames.limit = c.b.cfg.MaxPacketBytes
		c.pass = f.raw
		return nil
	}
	c.extend()
	switch f.kind() {
	case typePublish:
		return c.publish(f)
	case typePuback, typePubrec, typePubcomp:
		return c.confirmed(f)
	case typePubrel:
		return c.release2(f)
	case typeDisconnect:
		c.clean = len(f.body) == 0 || f.body[0] == 0
	}
	c.pass = f.raw
	return nil
}

// receive reads from the socket under the deadline that extend keeps.
func (c *conn) receive(p []byte) (int, error) {
	if err := c.sock.SetReadDeadline(c.deadline); err != nil {
		return 0, err
	}
	if c.closed() { // Close came between: its deadline must not be overwritten
		return 0, net.ErrClosed
	}
	return c.sock.Read(p)
}

// extend grants another keepalive and a half after a whole packet, as MQTT 3.1.2.10 has it.
func (c *conn) extend() {
	if c.keepalive > 0 {
		c.deadline = time.Now().Add(c.keepalive + c.keepalive/2)
	}
}

// fault is a breach of the protocol: v5 is told the code before the connection closes.
type fault struct {
	code byte
	what string
}

func (f fault) Error() string { return f.what }

// explain notes why reading ended and tells a v5 client.
func (c *conn) explain(err error) error {
	var f fault
	var timeout net.Error
	switch {
	case errors.As(err, &f):
		c.bye(f.code, reasonProtocol)
	case errors.Is(err, errMalformed):
		c.bye(codeMalformed, reasonProtocol)
	case errors.Is(err, errTooLarge):
		c.bye(codeTooLarge, reasonProtocol)
	case errors.Is(err, errLifeFailed):
		c.cut(reasonJournal)
	case errors.As(err, &timeout) && timeout.Timeout() && !c.closed():
		c.bye(0x8D, reasonKeepalive)
	default:
		c.end(reasonClosed)
	}
	return err
}

// Write takes what the library sends. It does not block, and does not fail unless the connection is closed.
func (c *conn) Write(p []byte) (int, error) {
	if !c.v5 && len(p) > 0 && p[0]>>4 == typeDisconnect {
		return len(p), nil // MQTT 3.1.1 knows no DISCONNECT from a server
	}
	if !c.send(p) {
		return 0, net.ErrClosed
	}
	return len(p), nil
}

// Close is called by the library once it is done: what was written still leaves.
func (c *conn) Close() error {
	c.end(reasonClosed)
	return nil
}

// LocalAddr and RemoteAddr are the socket's.
func (c *conn) LocalAddr() net.Addr  { return c.sock.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.sock.RemoteAddr() }

// The library's deadlines wrap round for long keepalives and would cover writes too; the connection keeps its own.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
