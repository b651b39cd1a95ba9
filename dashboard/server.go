package dashboard

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/dashboard/live"
	"watchhouse/dashboard/stream"
	"watchhouse/dashboard/web"
	"watchhouse/journal"
	"watchhouse/registry"
)

// Server is the console's HTTP handler with the goroutines behind it.
type Server struct {
	cfg      Config
	log      *slog.Logger
	journal  *journal.Journal
	registry *registry.Registry
	alerts   Alerts
	history  History
	letters  DeadLetters
	sessions *sessions
	throttle *throttle
	refusals failedLogins
	audit    *auditLog
	live     *live.Projection
	stream   *stream.Hub
	metrics  *metrics
	insecure bool
	health   func() Health
	handler  http.Handler
}

// New starts nothing; it reads the sessions an earlier process left. Run makes the stream and the device states live.
func New(cfg Config, d Deps) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if d.Journal == nil || d.Registry == nil || d.Alerts == nil || d.Log == nil {
		return nil, errors.New("dashboard: journal, registry, alerts and log are required")
	}
	m, err := newMetrics(d.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, log: d.Log, journal: d.Journal, registry: d.Registry, alerts: d.Alerts, history: d.History, letters: d.Letters,
		throttle: newThrottle(), audit: &auditLog{chain: d.Journal.Chain("audit")}, metrics: m, insecure: d.Insecure,
		health: d.Health,
	}
	if s.health == nil {
		s.health = func() Health { return Health{Ready: true} }
	}
	if s.sessions, err = newSessions(context.Background(), cfg, d.Journal.KV("sessions"), d.Registry); err != nil {
		return nil, err
	}
	if err := s.makeViews(d); err != nil {
		return nil, err
	}
	return s, s.mount(d)
}

// makeViews makes the device states and the stream that shows them.
func (s *Server) makeViews(d Deps) error {
	var err error
	s.stream, err = stream.New(stream.Config{
		MaxClients: s.cfg.MaxStreams, MaxPerUser: s.cfg.MaxStreamsPerUser, Heartbeat: s.cfg.Heartbeat,
	}, stream.Deps{
		Source: d.Alerts, Devices: func() []stream.Update { return s.live.Frames() }, Seen: s.audit.seen,
		Degraded: func() []string { return s.health().Codes() },
		Metrics:  d.Metrics, Log: d.Log, Build: d.Build,
	})
	if err != nil {
		return err
	}
	s.live, err = live.New(live.Config{
		Interval: s.cfg.DeviceInterval, SaveInterval: s.cfg.SnapshotInterval, CatchUp: s.cfg.CatchUpMessages,
	}, live.Deps{
		Lanes: map[journal.LaneName]live.Lane{
			journal.EventLane:     d.Journal.Lane(journal.EventLane),
			journal.StateLane:     d.Journal.Lane(journal.StateLane),
			journal.TelemetryLane: d.Journal.Lane(journal.TelemetryLane),
		},
		Registry: registered{d.Registry}, Store: d.Journal.KV("dashboard"), Sink: s.stream, Log: d.Log,
		Refusals: d.Refusals,
	})
	return err
}

// registered gives the projection the devices of the registry.
type registered struct{ r *registry.Registry }

func (r registered) Changed() <-chan struct{} { return r.r.Changed() }

// Devices are those registered and, of kind bridge, the accounts that speak for some.
func (r registered) Devices() []registry.Device {
	v := r.r.View()
	return append(slices.Clip(v.Devices()), v.Bridges()...)
}

func (r registered) BridgeState(topic string, payload []byte) (online, ok bool) {
	return r.r.View().BridgeState(topic, payload)
}

func (r registered) Locate(topic, sender string) (registry.Origin, error) {
	return r.r.View().Locate(topic, sender)
}

func (s *Server) mount(d Deps) error {
	dist := d.Page
	if dist == nil {
		var err error
		if dist, err = web.Dist(); err != nil {
			return fmt.Errorf("open the embedded page: %w", err)
		}
	}
	static, err := newPage(dist)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	api := s.routes(mux)
	description, err := describe(api)
	if err != nil {
		return err
	}
	mux.HandleFunc("GET "+apiPrefix+"/openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(description) // the client is gone when this fails
	})
	mux.HandleFunc("GET "+apiPrefix+"/stream", s.serveStream)
	mux.HandleFunc("GET "+tilesPath, s.serveTiles)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { noSuchRoute(mux, w, r) })
	mux.Handle("/", static)
	s.handler = s.chain(compressed(mux))
	return nil
}

// routes registers the whole API; it touches no dependency.
func (s *Server) routes(mux *http.ServeMux) huma.API {
	api := newAPI(mux)
	s.accountRoutes(api)
	s.healthRoutes(api)
	s.incidentRoutes(api)
	s.commandRoutes(api)
	s.deviceRoutes(api)
	s.basemapRoutes(api)
	s.catalogRoutes(api)
	s.registrationRoutes(api)
	s.fileRoutes(api)
	s.bridgeRoutes(api)
	s.tokenRoutes(api)
	s.placeRoutes(api)
	s.pointRoutes(api)
	s.ruleRoutes(api)
	s.contactRoutes(api)
	s.peopleRoutes(api)
	s.journalRoutes(api)
	s.deadLetterRoutes(api)
	s.auditRoutes(api)
	finish(api)
	return api
}

// Handler serves the API, the stream and the page.
func (s *Server) Handler() http.Handler { return s }

// ServeHTTP makes a Server a handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Run keeps the device states and feeds the stream until ctx ends; then it closes every stream with 1001, saves the device
// states and returns when all its goroutines have ended.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	wg.Go(func() { errs[0] = s.stream.Run(ctx) })
	wg.Go(func() { errs[1] = s.live.Run(ctx) })
	wg.Go(func() { s.watchSessions(ctx) })
	wg.Wait()
	return errors.Join(errs...)
}

// watchSessions closes streams whose session ended or whose user changed, and removes expired sessions.
func (s *Server) watchSessions(ctx context.Context) {
	recheck, sweep := time.NewTicker(5*time.Second), time.NewTicker(10*time.Minute)
	defer recheck.Stop()
	defer sweep.Stop()
	for {
		changed := s.registry.Changed()
		select {
		case <-ctx.Done():
			return
		case <-changed:
			s.stream.Recheck()
		case <-recheck.C:
			s.stream.Recheck()
		case <-sweep.C:
			if err := s.sessions.store.sweep(ctx); err != nil {
				s.log.Warn("expired sessions not removed", "error", err)
			}
		}
	}
}
