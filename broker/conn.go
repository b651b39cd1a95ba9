package broker

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

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

// conn is a connection. Its goroutine reads packets: what concerns messages (PUBLISH and the four kinds of ack) is dealt with here,
// the few control packets go to the library, which writes its answers to conn as to a net.Conn. Writes never block: they append
// to out, and a goroutine that exists only while there is something to send carries it to the socket.
type conn struct {
	b     *Broker
	sock  socket
	num   uint64
	ended chan struct{} // closed when the connection's goroutine is done with it, records written

	// Of the reading goroutine alone.
	frames   frameReader
	slab     []byte // memory that the payloads of the packets at hand are copied to
	routes   routeCache
	aliases  map[uint16]string
	deadline time.Time // the read deadline as set
	started  bool      // CONNECT has come
	replay   []outgoing

	visitor *visitor // until it has signed in; nil when nobody counts it
	vetted  bool     // its CONNECT has the right secret

	// Of the goroutine that handles a SUBSCRIBE.
	asked  []packets.Subscription
	space  int      // subscriptions that the account may still have
	excess []string // filters that did not fit

	// Set at sign-in, before the connection is in the table; read only afterwards.
	session

	heard atomic.Int64 // Unix ns of its last packet

	refused   atomic.Bool // telemetry is dropped until the connection closes (v3)
	impatient bool        // reading goroutine: it has waited for telemetry's cap in vain

	mu         sync.Mutex
	flows      [laneCount]flow
	room       chan struct{} // wakes the reading goroutine that waits for a flow
	shed       *time.Timer   // the jittered close
	qos2       *inbound2     // QoS 2 messages that the client may repeat
	unanswered int           // v5: QoS 1 messages that have no PUBACK yet
	writer

	readable     map[string]bool // decisions about deliveries, of one revision
	readRevision uint64
}

// session is who is at the other end.
type session struct {
	who       registry.Principal
	account   *account
	client    string // client id
	keepalive time.Duration
	will      *will
	lib       *mqtt.Client
	v5        bool
	window    uint16 // the client's Receive Maximum
	maxPacket uint32 // the client's Maximum Packet Size, 0 = none
	restart   bool   // clean start, or the session before has expired
	bridge    bool   // another broker's: it gets no copies of its own messages, and the retain flag as it was published
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
	reasonQuota     = "quota"
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
	now := time.Now()
	c.deadline = now.Add(b.cfg.ConnectTimeout)
	c.heard.Store(now.UnixNano())
	return c
}

// run reads until the connection has to end; c.reason says why it did.
func (c *conn) run() {
	for {
		f, err := c.frames.next()
		if err == nil {
			err = c.take(f)
		}
		if err != nil {
			c.explain(err)
			return
		}
	}
}

// take handles a packet. An error ends the connection.
func (c *conn) take(f frame) error {
	if !c.started {
		if f.kind() != typeConnect {
			return fault{codeProtocol, "the first packet was not CONNECT"}
		}
		c.started = true
		c.frames.limit = c.b.cfg.MaxPacketBytes
		return c.arrive(f)
	}
	c.extend()
	switch f.kind() {
	case typePublish:
		return c.publish(f)
	case typePuback, typePubrec, typePubcomp:
		return c.confirmed(f)
	case typePubrel:
		return c.release2(f)
	case typePingreq:
		c.send([]byte{typePingresp << 4, 0})
		c.pay(controlShare, 1)
		return nil
	case typeDisconnect:
		return c.goodbye(f)
	}
	return c.aside(f, c.b.control)
}

// goodbye handles DISCONNECT. The library overlooks the reason code of a packet that ends with it, and with it a wish for the will
// to be published.
func (c *conn) goodbye(f frame) error {
	if err := c.aside(f, c.b.control); err != nil {
		return err
	}
	if len(f.body) == 0 || f.body[0] == 0 {
		c.end(reasonGoodbye)
	}
	return errClosing
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
	now := time.Now()
	c.heard.Store(now.UnixNano())
	if c.keepalive > 0 {
		c.deadline = now.Add(c.keepalive + c.keepalive/2)
	}
}

// fault is a breach of the protocol: v5 is told the code before the connection closes.
type fault struct {
	code byte
	what string
}

func (f fault) Error() string { return f.what }

// explain notes why reading ended and tells a v5 client.
func (c *conn) explain(err error) {
	var f fault
	var code packets.Code
	var timeout net.Error
	switch {
	case errors.As(err, &f):
		c.bye(f.code, reasonProtocol)
	case errors.As(err, &code) && code.Code >= 0x80:
		c.bye(code.Code, reasonProtocol)
	case errors.Is(err, errMalformed):
		c.bye(codeMalformed, reasonProtocol)
	case errors.Is(err, errTooLarge):
		c.bye(codeTooLarge, reasonProtocol)
	case errors.Is(err, errLifeFailed):
		c.cut(reasonJournal)
	case errors.As(err, &timeout) && timeout.Timeout() && !c.closed():
		c.bye(0x8D, reasonKeepalive)
	case lost(err):
		c.note(reasonClosed) // the socket is closed in its turn: see farewell
	default:
		c.end(reasonClosed)
	}
}

// lost reports whether the client has closed the connection, or the network has.
func lost(err error) bool {
	var broken *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) && !broken.Timeout()
}

// Read is never called: the library is handed packets.
func (c *conn) Read([]byte) (int, error) { return 0, io.EOF }

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

// Close does nothing: the library calls it after DISCONNECT and when the session's end is known here already.
func (c *conn) Close() error { return nil }

// LocalAddr and RemoteAddr are the socket's.
func (c *conn) LocalAddr() net.Addr  { return c.sock.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.sock.RemoteAddr() }

// SetDeadline and its like do nothing: the library's deadlines wrap round for long keepalives, the connection keeps its own.
func (c *conn) SetDeadline(time.Time) error      { return nil }
func (c *conn) SetReadDeadline(time.Time) error  { return nil }
func (c *conn) SetWriteDeadline(time.Time) error { return nil }
