package broker

import (
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	wsBufferBytes = 1 << 10
	wsHeaderBytes = 8 << 10
)

// wsServer serves the broker's own WebSocket address. A connection is for one request: kept open after another it would cost nothing to
// hold, and nobody would count it.
func (b *Broker) wsServer() *http.Server {
	server := &http.Server{
		ReadHeaderTimeout: b.cfg.ConnectTimeout,
		MaxHeaderBytes:    wsHeaderBytes,
		ErrorLog:          slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
		Handler:           b.WebSocketHandler(),
	}
	server.SetKeepAlivesEnabled(false)
	return server
}

// wsListener speaks TLS when there is a certificate.
func (b *Broker) wsListener() net.Listener {
	if b.certificates == nil {
		return b.patient(b.ws)
	}
	return tls.NewListener(b.patient(b.ws), b.certificates.MQTT())
}

// WebSocketHandler upgrades HTTP connections and hands them over; the goroutines of net/http end there. The hub serves it beside
// the page, too. A connection before Start or after Stop is refused with 503.
func (b *Broker) WebSocketHandler() http.Handler {
	upgrader := &websocket.Upgrader{
		HandshakeTimeout: b.cfg.ConnectTimeout,
		ReadBufferSize:   wsBufferBytes,
		WriteBufferSize:  wsBufferBytes,
		WriteBufferPool:  &sync.Pool{},
		Subprotocols:     []string{"mqtt"},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !b.serving.Load() || b.stopping.Load() {
			http.Error(w, "the broker is not serving", http.StatusServiceUnavailable)
			return
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return // the upgrader has answered
		}
		ws.SetReadLimit(int64(b.cfg.MaxPacketBytes))
		s := &wsSocket{ws: ws}
		b.adopt(s, b.visitorOf(s))
	})
}

// visitorOf is the place at the door of a WebSocket's connection. One that came by the page's address gets it now.
func (b *Broker) visitorOf(s *wsSocket) *visitor {
	if e, ok := s.tcp().(*entrant); ok {
		return e.visitor
	}
	return b.door.enter(s.RemoteAddr(), func() { expel(s.tcp()) })
}

// wsSocket is a WebSocket as a stream of bytes: MQTT 6 lets packets cross the borders of messages.
type wsSocket struct {
	ws       *websocket.Conn
	message  io.Reader // the one that is being read
	deadline atomic.Int64
}

var errTextFrame = errors.New("WebSocket message is not binary")

// Read reads on in the present message, or in the next one.
func (s *wsSocket) Read(p []byte) (int, error) {
	for {
		if s.message == nil {
			kind, r, err := s.ws.NextReader()
			if err != nil {
				return 0, err
			}
			if kind != websocket.BinaryMessage {
				return 0, errTextFrame
			}
			s.message = r
		}
		n, err := s.message.Read(p)
		if errors.Is(err, io.EOF) {
			s.message, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// Write sends p as one message. Only the connection's sending goroutine calls it.
func (s *wsSocket) Write(p []byte) (int, error) {
	if err := s.ws.SetWriteDeadline(time.Unix(0, s.deadline.Load())); err != nil {
		return 0, err
	}
	if err := s.ws.WriteMessage(websocket.BinaryMessage, p); err != nil {
		return 0, err
	}
	return len(p), s.ws.NetConn().SetWriteDeadline(time.Time{}) // as tlsSocket
}

// SetReadDeadline may be called while another goroutine reads, SetWriteDeadline while one writes.
func (s *wsSocket) SetReadDeadline(t time.Time) error { return s.ws.NetConn().SetReadDeadline(t) }

// SetWriteDeadline takes effect at once and for the next Write.
func (s *wsSocket) SetWriteDeadline(t time.Time) error {
	s.deadline.Store(t.UnixNano())
	return s.ws.NetConn().SetWriteDeadline(t)
}

// tcp is the connection below WebSocket and TLS.
func (s *wsSocket) tcp() net.Conn {
	if over, ok := s.ws.NetConn().(*tls.Conn); ok {
		return over.NetConn()
	}
	return s.ws.NetConn()
}

// ConnectionState is that of TLS, zero without.
func (s *wsSocket) ConnectionState() tls.ConnectionState {
	if over, ok := s.ws.NetConn().(*tls.Conn); ok {
		return over.ConnectionState()
	}
	return tls.ConnectionState{}
}

// SetLinger is TCP's.
func (s *wsSocket) SetLinger(seconds int) error { return linger(s.tcp(), seconds) }

// Close closes without a closing handshake, which for TLS might wait.
func (s *wsSocket) Close() error         { return s.tcp().Close() }
func (s *wsSocket) LocalAddr() net.Addr  { return s.ws.LocalAddr() }
func (s *wsSocket) RemoteAddr() net.Addr { return s.ws.RemoteAddr() }
