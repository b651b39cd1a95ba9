package stream

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// sendBuffer bounds what the kernel may hide of a slow console's backlog.
const sendBuffer = 128 << 10

// inboundPerSecond is more than a page that paints at 60 frames a second ever says.
const inboundPerSecond = 200

// sameAsChecked: the route checks the origin before it calls Serve, with the hub's list of trusted ones.
func sameAsChecked(*http.Request) bool { return true }

// Serve upgrades and serves one console until it goes, in the caller's goroutine. A refused upgrade is answered by the
// library; Room tells beforehand whether there is one.
func (h *Hub) Serve(w http.ResponseWriter, r *http.Request, who Identity) {
	conn, err := h.upgrader.Upgrade(w, r, nil)
	if err != nil {
		h.log.Debug("stream handshake failed", "error", err)
		return
	}
	if tcp, ok := below(conn.NetConn()).(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // only a wish
	}
	c := newClient(h, conn, who)
	if !h.join(c) {
		c.bye(websocket.CloseTryAgainLater, "no room")
		hangUp(conn)
		return
	}
	defer h.leave(c)
	go c.write()
	c.read()
	c.end(websocket.CloseNormalClosure, "")
	<-c.done
	c.mu.Lock()
	c.dropReplay()
	c.mu.Unlock()
	c.closeStale()
}

// hangUp closes the connection under everything: TLS would say goodbye first and wait seconds for one who does not listen.
func hangUp(conn *websocket.Conn) { _ = below(conn.NetConn()).Close() }

// below is the connection under TLS, if there is TLS.
func below(c net.Conn) net.Conn {
	if over, ok := c.(*tls.Conn); ok {
		return over.NetConn()
	}
	return c
}

// read handles the console's frames until the socket ends.
func (c *client) read() {
	c.conn.SetReadLimit(maxFrame)
	c.conn.SetPongHandler(func(string) error { return c.alive(readTimeout) })
	if c.alive(helloTimeout) != nil {
		return
	}
	var second time.Time
	count := 0
	for {
		kind, b, err := c.conn.ReadMessage()
		if err != nil {
			return
		}
		if now := time.Now(); now.Sub(second) >= time.Second {
			second, count = now, 0
		}
		if count++; count > inboundPerSecond || kind != websocket.TextMessage {
			c.end(websocket.ClosePolicyViolation, "too many or no text frames")
			return
		}
		f, err := parseClient(b)
		if err != nil {
			c.end(websocket.CloseInvalidFramePayloadData, "not a frame of this protocol")
			return
		}
		if !c.handle(f) {
			return
		}
	}
}

// alive moves the read deadline. Before hello a pong must not, so that a socket that never says hello ends.
func (c *client) alive(d time.Duration) error {
	c.mu.Lock()
	greeted := c.phase != greeting
	c.mu.Unlock()
	if !greeted && d != helloTimeout {
		return nil
	}
	return c.conn.SetReadDeadline(time.Now().Add(d))
}

func (c *client) handle(f ClientFrame) bool {
	switch f.T {
	case "hello":
		c.h.hello(c, f)
	case "resume":
		c.h.resume(c, f)
	case "seen":
		c.seen(f.Seq)
	case "audio":
		c.audio.Store(int32(slices.Index(audioStates(), f.State) + 1))
	}
	return c.alive(readTimeout) == nil
}

// seen notes what the console has painted, never more than it was sent.
func (c *client) seen(seq uint64) {
	c.mu.Lock()
	upTo, after, liveFrom := min(seq, c.sent), c.seenTo, c.liveFrom
	if c.phase == greeting || upTo <= after {
		c.mu.Unlock()
		return
	}
	c.seenTo = upTo
	c.mu.Unlock()
	for _, ms := range c.h.sights.seen(c.who.Name, after, upTo, liveFrom, time.Now().UnixMilli()) {
		c.h.metrics.painted.Observe(float64(ms) / 1000)
	}
}
