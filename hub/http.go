package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"watchhouse/broker"
	"watchhouse/certs"
)

// Limits of the HTTP server. There is no write time-out: streams live for a shift and set a deadline on every write themselves.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

func (h *Hub) listenHTTP(ctx context.Context) (err error) {
	var lc net.ListenConfig
	if h.listener, err = lc.Listen(ctx, "tcp", h.cfg.HTTP); err != nil {
		return fmt.Errorf("listen for HTTP on %s: %w", h.cfg.HTTP, err)
	}
	door := newHTTPDoor(broker.OpenFiles())
	h.listener = roomyListener{h.listener, door}
	h.server = &http.Server{
		ConnState:         door.connState,
		Handler:           h.routes(),
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
	}
	if h.certs != nil {
		h.server.TLSConfig = h.certs.Web()
	}
	h.life.onStop("http", 5*time.Second, h.stopHTTP)
	return nil
}

func (h *Hub) routes() http.Handler {
	h.registerMetrics()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", h.healthz)
	mux.HandleFunc("GET /readyz", h.readyz)
	mux.Handle("GET /metrics", promhttp.HandlerFor(h.metrics, promhttp.HandlerOpts{}))
	mux.Handle("GET /mqtt", h.mqttOnThePage())
	mux.Handle("/", h.dashboard.Handler())
	return mux
}

// mqttOnThePage is MQTT over WebSocket. The page's address asks nobody for a certificate, so where devices must show one there
// is no MQTT on it.
func (h *Hub) mqttOnThePage() http.Handler {
	if h.cfg.TLS.ClientAuth != certs.ClientAuthRequired {
		return h.broker.WebSocketHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "devices must show a certificate: use mqtt.tls or mqtt.websocket", http.StatusForbidden)
	})
}

// serveHTTP serves in a goroutine that ends when the server is stopped.
func (h *Hub) serveHTTP() {
	h.life.goWorker("http server", 5*time.Second, func(ctx context.Context) error {
		stop := context.AfterFunc(ctx, func() { _ = h.server.Close() }) // Shutdown has had its turn in stopHTTP
		defer stop()
		if err := h.acceptHTTP(); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		<-ctx.Done()
		return nil
	})
}

// acceptHTTP speaks HTTPS when there is a certificate.
func (h *Hub) acceptHTTP() error {
	if h.certs != nil {
		return h.server.ServeTLS(h.listener, "", "")
	}
	return h.server.Serve(h.listener)
}

// stopHTTP lets requests end; streams are hijacked connections, which the dashboard's own stop ends.
func (h *Hub) stopHTTP(ctx context.Context) error {
	if err := h.server.Shutdown(ctx); err != nil {
		return errors.Join(err, h.server.Close())
	}
	_ = h.listener.Close() // not yet served: Shutdown did not know it
	return nil
}
