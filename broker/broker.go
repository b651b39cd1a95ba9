package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"

	"watchhouse/certs"
	"watchhouse/journal"
	"watchhouse/registry"
)

// startLimit bounds the reading of the state lane and the first append at Start.
const startLimit = time.Minute

// Deps of the broker.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger

	Certificates *certs.Store // for Config.TLS and Config.WebSocket; nil = none
}

// Broker is the embedded MQTT broker.
type Broker struct {
	cfg       Config
	log       *slog.Logger
	stores    stores
	directory directory
	lib       *mqtt.Server // sessions, subscriptions and the codec of control packets

	tcp, tls, ws net.Listener // nil = off
	certificates *certs.Store // nil = no TLS
	http         *http.Server
	pace         *pace // of sign-ins, whatever listener they come by
	endings      *pace // of connections
	door         *door // as pace
	most         int   // connections

	accounts *accounts
	table    *table
	fanout   *fanout
	retained *retained
	sessions sessions
	wills    wills
	rates    rates
	refusals refusals
	buffers  *sync.Pool
	pendings sync.Pool

	nextConn   atomic.Uint64
	complained atomic.Int64
	serving    atomic.Bool
	stopping   atomic.Bool
	count      counters

	shedMin, shedSpread time.Duration
	patience            time.Duration

	farewells chan struct{} // holds one for each connection that is being ended

	quit     chan struct{}
	stopOnce sync.Once
	workers  sync.WaitGroup // accepting, fan-out, housekeeping
	readers  sync.WaitGroup // one for each connection
	senders  sync.WaitGroup // one for each connection that has something to send
}

// New binds the listeners; nothing is accepted before Start.
func New(cfg Config, d Deps) (*Broker, error) {
	b, err := newBroker(cfg, storesOf(d.Journal), registryDirectory{d.Registry}, d.Log)
	if err != nil {
		return nil, err
	}
	b.certificates = d.Certificates
	return b, b.bind()
}

// newBroker makes a broker that has no listener yet.
func newBroker(cfg Config, s stores, d directory, log *slog.Logger) (*Broker, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	b := &Broker{
		cfg: cfg, log: log, stores: s, directory: d,
		pace:     newPace(cfg.MaxConnectRate, connectBurst),
		endings:  newPace(endingsPerSecond, connectBurst),
		door:     newDoor(cfg.Strangers.within(OpenFiles())),
		most:     mostConnections(cfg.MaxConnections, OpenFiles()),
		accounts: newAccounts(cfg.Account, d, log),
		table:    newTable(),
		fanout:   newFanout(),
		retained: &retained{topics: map[string]retainedStatus{}},
		sessions: sessions{away: map[string]*inbound2{}, until: map[string]time.Time{}},
		wills:    wills{waiting: map[string]*time.Timer{}},
		rates:    rates{windows: map[string]*window{}},
		refusals: refusals{last: map[string]Refusal{}, told: map[string]time.Time{}},
		buffers:  newBufferPool(),
		shedMin:  minShedClose, shedSpread: shedCloseSpread,
		patience:  patience,
		farewells: make(chan struct{}, 2),
		quit:      make(chan struct{}),
	}
	b.lib = mqtt.New(libraryOptions(log))
	if err := b.lib.AddHook(&hook{b: b}, nil); err != nil {
		return nil, fmt.Errorf("add hook to MQTT library: %w", err)
	}
	return b, nil
}

// libraryOptions keep the library small: it buffers nothing, because it is given whole packets and its writes never block, and
// it has no messages in flight, no aliases and no $SYS topics, because its Serve is never called.
func libraryOptions(log *slog.Logger) *mqtt.Options {
	limits := mqtt.NewDefaultServerCapabilities()
	limits.MaximumClientWritesPending = 1
	limits.MaximumInflight = 1
	limits.ReceiveMaximum = telemetryWindow
	limits.TopicAliasMaximum = 0
	limits.MaximumSessionExpiryInterval = uint32(sessionLimit / time.Second)
	return &mqtt.Options{
		Capabilities:             limits,
		Logger:                   tame(log),
		ClientNetReadBufferSize:  16,
		ClientNetWriteBufferSize: 16,
		SysTopicResendInterval:   math.MaxInt32,
	}
}

// bind opens the listeners, all or none.
func (b *Broker) bind() error {
	if b.cfg.TLS != "" && b.certificates == nil {
		return errors.New("listen for MQTT over TLS: there is no certificate")
	}
	for _, l := range []struct {
		listener *net.Listener
		address  string
	}{{&b.tcp, b.cfg.TCP}, {&b.tls, b.cfg.TLS}, {&b.ws, b.cfg.WebSocket}} {
		if l.address == "" {
			continue
		}
		bound, err := listen(l.address)
		if err != nil {
			b.closeListeners()
			return err
		}
		*l.listener = bound
	}
	return nil
}

// Start rebuilds the retained messages, records the start of the hub and serves.
func (b *Broker) Start() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	if err := b.retained.rebuild(ctx, b.stores.shelf, b.stores.state); err != nil {
		return err
	}
	if err := b.door.restore(ctx, b.stores.shelf); err != nil {
		b.log.Warn("all addresses are strange at first", "err", err)
	}
	if err := b.recordStart(ctx); err != nil {
		return err
	}
	b.serving.Store(true)
	b.workers.Go(b.fan)
	b.workers.Go(b.keepHouse)
	b.serveListeners()
	return nil
}

func (b *Broker) serveListeners() {
	if b.tcp != nil {
		b.workers.Go(func() { b.accept(b.patient(b.tcp), nil) })
	}
	if b.tls != nil {
		b.workers.Go(func() { b.accept(b.patient(b.tls), b.certificates.MQTT()) })
	}
	if b.ws != nil {
		b.http = b.wsServer()
		b.workers.Go(func() { _ = b.http.Serve(b.wsListener()) })
	}
}

func (b *Broker) patient(l net.Listener) *patient {
	return &patient{Listener: l, door: b.door, errors: &b.count.accepts, log: b.log, quit: b.quit}
}

// Stop closes the listeners, then the connections, without firing wills, bounded by ctx. Idempotent.
func (b *Broker) Stop(ctx context.Context) error {
	var err error
	b.stopOnce.Do(func() { err = b.stop(ctx) })
	return err
}

func (b *Broker) stop(ctx context.Context) error {
	b.stopping.Store(true)
	close(b.quit)
	b.wills.stop()
	b.closeListeners()
	for _, c := range b.table.everyone(true) {
		c.bye(codeShutdown, reasonShutdown)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.workers.Wait()
		b.readers.Wait()
		b.senders.Wait()
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		for _, c := range b.table.everyone(true) {
			c.cut(reasonShutdown)
		}
		<-ended
	}
	b.saveRetained(context.WithoutCancel(ctx))
	return errors.Join(ctx.Err(), b.lib.Close())
}

func (b *Broker) closeListeners() {
	for _, l := range []net.Listener{b.tcp, b.tls, b.ws} {
		if l != nil {
			_ = l.Close()
		}
	}
	if b.http != nil {
		_ = b.http.Close()
	}
}

// Addr is the TCP address, "" when off.
func (b *Broker) Addr() string { return address(b.tcp) }

// TLSAddr is the address of MQTT over TLS, "" when off.
func (b *Broker) TLSAddr() string { return address(b.tls) }

// WebSocketAddr is the WebSocket address, "" when off.
func (b *Broker) WebSocketAddr() string { return address(b.ws) }

func address(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// Disconnect drops all connections of a principal (revoked).
func (b *Broker) Disconnect(id string) {
	for _, c := range b.table.principal(id) {
		c.bye(codeAdministrator, reasonRevoked)
	}
}

// Connected reports whether a device has a live connection.
func (b *Broker) Connected(id string) bool { return len(b.table.principal(id)) > 0 }

// offer passes a message to the fan-out or counts it as dropped.
func (b *Broker) offer(m *message) {
	if !b.fanout.offer(m) {
		b.count.fanoutDrops.Add(1)
	}
}
