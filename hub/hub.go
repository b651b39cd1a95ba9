package hub

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"watchhouse/alerts"
	"watchhouse/broker"
	"watchhouse/certs"
	"watchhouse/config"
	"watchhouse/dashboard"
	"watchhouse/dashboard/live"
	"watchhouse/ingest"
	"watchhouse/journal"
	"watchhouse/registry"
)

// Hub is one running Watchhouse.
type Hub struct {
	cfg       config.Config
	log       *slog.Logger
	life      *lifecycle
	metrics   *prometheus.Registry
	certs     *certs.Store // nil = no TLS
	journal   *journal.Journal
	registry  *registry.Registry
	alerts    *alerts.Engine
	ingest    *ingest.Ingest
	dashboard *dashboard.Server
	broker    *broker.Broker
	listener  net.Listener
	server    *http.Server
	serving   atomic.Bool // MQTT accepts messages
}

// New opens the data folder and binds the listeners; nothing is served before Start. On an error everything acquired is released.
func New(ctx context.Context, cfg config.Config, log *slog.Logger) (*Hub, error) {
	h := &Hub{cfg: cfg.Resolved(), log: log, life: newLifecycle(log), metrics: newMetrics()}
	for _, acquire := range []func(context.Context) error{
		h.openCertificates, h.openJournal, h.openRegistry, h.newAlerts, h.newIngest, h.newDashboard, h.newBroker, h.listenHTTP,
	} {
		if err := acquire(ctx); err != nil {
			return nil, errors.Join(err, h.life.stop(context.WithoutCancel(ctx)))
		}
	}
	return h, nil
}

func (h *Hub) openJournal(ctx context.Context) (err error) {
	if h.journal, err = journal.Open(ctx, h.cfg.Journal, h.log.With("part", "journal")); err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	h.life.onStop("journal", 20*time.Second, h.journal.Close)
	return nil
}

func (h *Hub) openRegistry(ctx context.Context) (err error) {
	if h.registry, err = registry.Open(ctx, h.cfg.Registry, h.journal); err != nil {
		return fmt.Errorf("open registry: %w", err)
	}
	if err := h.registry.KeyProblem(); err != nil {
		h.log.Error("personal data cannot be read", "error", err)
	}
	return nil
}

func (h *Hub) newAlerts(ctx context.Context) (err error) {
	deps := alerts.Deps{Journal: h.journal, Registry: h.registry, Log: h.log.With("part", "alerts")}
	if h.alerts, err = alerts.New(ctx, h.cfg.Alerts, deps); err != nil {
		return fmt.Errorf("open alerts: %w", err)
	}
	return nil
}

func (h *Hub) newIngest(context.Context) (err error) {
	deps := ingest.Deps{Journal: h.journal, Registry: h.registry, Log: h.log.With("part", "ingest")}
	if h.ingest, err = ingest.New(h.cfg.InfluxDB, deps); err != nil {
		return fmt.Errorf("open ingest: %w", err)
	}
	return nil
}

func (h *Hub) newDashboard(context.Context) (err error) {
	deps := dashboard.Deps{
		Journal: h.journal, Registry: h.registry, Alerts: dashboard.Engine(h.alerts), History: h.ingest, Letters: h.ingest,
		Metrics: h.metrics, Health: h.health, Refusals: h.refusals, Build: build(), Insecure: len(h.cfg.Insecure()) > 0, Log: h.log.With("part", "dashboard"),
	}
	if h.dashboard, err = dashboard.New(h.cfg.Dashboard, deps); err != nil {
		return fmt.Errorf("open dashboard: %w", err)
	}
	return nil
}

func (h *Hub) newBroker(context.Context) (err error) {
	deps := broker.Deps{Journal: h.journal, Registry: h.registry, Certificates: h.certs, Log: h.log.With("part", "broker")}
	if h.broker, err = broker.New(h.cfg.MQTT, deps); err != nil {
		return fmt.Errorf("open broker: %w", err)
	}
	h.life.onStop("broker", 10*time.Second, h.broker.Stop)
	return nil
}

// refusals tells the page whom the broker does not let in.
func (h *Hub) refusals() map[string]live.Refusal {
	if h.broker == nil {
		return nil
	}
	var all map[string]live.Refusal
	for id, r := range h.broker.Refusals() {
		if all == nil {
			all = map[string]live.Refusal{}
		}
		all[id] = live.Refusal{ClientID: r.ClientID, Reason: r.Reason, At: r.At}
	}
	return all
}

// Registry is the hub's registry, for first users and devices.
func (h *Hub) Registry() *registry.Registry { return h.registry }

// HTTPAddr and MQTTAddr are the bound addresses.
func (h *Hub) HTTPAddr() string { return h.listener.Addr().String() }

// HTTPS tells whether the page is served over TLS.
func (h *Hub) HTTPS() bool { return h.certs != nil }

// MQTTAddr is the bound MQTT address over TCP.
func (h *Hub) MQTTAddr() string { return h.broker.Addr() }

// MQTTTLSAddr is the bound address of MQTT over TLS, "" when off.
func (h *Hub) MQTTTLSAddr() string { return h.broker.TLSAddr() }

// MQTTWebSocketAddr is the bound MQTT address over WebSocket, "" when off.
func (h *Hub) MQTTWebSocketAddr() string { return h.broker.WebSocketAddr() }

// Failed gives the failure of the first part that ended by itself.
func (h *Hub) Failed() <-chan error { return h.life.failure }

// Start begins to serve: the readers of the journal first, so that nothing accepted waits for them; MQTT before the page.
func (h *Hub) Start() error {
	h.life.goWorker("alerts", 15*time.Second, h.alerts.Run)
	h.life.goWorker("ingest", 10*time.Second, h.ingest.Run)
	h.life.goWorker("dashboard", 5*time.Second, h.dashboard.Run)
	if err := h.broker.Start(); err != nil {
		return fmt.Errorf("start broker: %w", err)
	}
	h.serving.Store(true)
	h.life.goWorker("commands", 5*time.Second, h.deliverCommands)
	h.life.goWorker("orders", 5*time.Second, h.deliverOrders)
	if h.certs != nil {
		h.life.goWorker("certificates", 5*time.Second, h.watchCertificates)
	}
	h.serveHTTP()
	return nil
}

// Stop drains and releases everything within ctx. Idempotent.
func (h *Hub) Stop(ctx context.Context) error {
	h.serving.Store(false)
	return h.life.stop(ctx)
}
