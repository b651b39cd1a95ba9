package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/alerts"
)

const (
	coalesce     = 50 * time.Millisecond // what a transition of priority 3 or 4 may wait for others
	maxQueued    = 1024                  // transitions that wait for one console
	writeTimeout = 5 * time.Second
	pingEvery    = 15 * time.Second
	readTimeout  = 40 * time.Second
	helloTimeout = 10 * time.Second
	seenEvery    = 5 * time.Second
	retryEvery   = time.Second
	stopTimeout  = 2 * time.Second
)

// Hub fans transitions and device states out to consoles.
type Hub struct {
	cfg      Config
	d        Deps
	log      *slog.Logger
	upgrader websocket.Upgrader
	metrics  *metrics
	sights   *sights
	readers  sync.WaitGroup // running Serve calls

	mu      sync.Mutex
	running bool
	head    uint64 // last number given to the clients
	clients map[*client]struct{}
}

// New starts nothing.
func New(cfg Config, d Deps) (*Hub, error) {
	h := &Hub{cfg: cfg, d: d, log: d.Log, sights: newSights(), clients: map[*client]struct{}{}}
	h.upgrader = websocket.Upgrader{
		Subprotocols: []string{Subprotocol}, ReadBufferSize: 1024, WriteBufferSize: 4096, WriteBufferPool: &sync.Pool{},
		HandshakeTimeout: 5 * time.Second,
		CheckOrigin:      sameAsChecked,
	}
	var err error
	h.metrics, err = newMetrics(d.Metrics, h)
	return h, err
}

// Run fans out until ctx ends; then it closes every console with 1001 and waits for them.
func (h *Hub) Run(ctx context.Context) error {
	defer h.stop()
	sub, err := h.begin(ctx)
	if sub == nil {
		return err
	}
	defer func() {
		if sub != nil {
			sub.Close()
		}
	}()
	wait := newTimer()
	defer wait.Stop()
	seen := time.NewTicker(seenEvery)
	defer seen.Stop()
	var pending []alerts.Transition
	for {
		select {
		case <-ctx.Done():
			h.dispatch(pending)
			h.keepSeen(context.WithoutCancel(ctx))
			return nil
		case ts, more := <-sub.C():
			if !more {
				h.dispatch(pending)
				pending = nil
				if sub = h.again(ctx, sub); sub == nil {
					h.keepSeen(context.WithoutCancel(ctx))
					return nil
				}
				continue
			}
			if len(pending) == 0 && len(ts) > 0 {
				wait.Reset(coalesce)
			}
			pending = append(pending, ts...)
			if urgent(ts) || len(pending) >= maxBatch {
				h.dispatch(pending)
				pending = nil
			}
		case <-wait.C:
			h.dispatch(pending)
			pending = nil
		case <-seen.C:
			h.keepSeen(ctx)
		}
	}
}

func newTimer() *time.Timer {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return t
}

// begin subscribes at the present; nil when ctx ends.
func (h *Hub) begin(ctx context.Context) (Subscription, error) {
	for {
		view := h.d.Source.View()
		sub, err := h.d.Source.Subscribe(view.Seq)
		if errors.Is(err, alerts.ErrTooOld) { // the view and what is kept move one after the other
			if sleep(ctx, coalesce) != nil {
				return nil, nil //nolint:nilerr // to be told to stop is no error
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("subscribe to the ledger: %w", err)
		}
		h.sights.begin(view)
		h.mu.Lock()
		h.head, h.running = view.Seq, true
		h.mu.Unlock()
		return sub, nil
	}
}

// again subscribes anew after the engine cut us off, at the number after the last dispatched one; if those are gone, every
// console needs a snapshot. It returns nil when ctx ends.
func (h *Hub) again(ctx context.Context, old Subscription) Subscription {
	if ctx.Err() == nil {
		h.log.Warn("fan-out was cut off by the alert engine", "resync", old.Resync())
	}
	old.Close()
	for {
		h.mu.Lock()
		after := h.head
		h.mu.Unlock()
		sub, err := h.d.Source.Subscribe(after)
		switch {
		case err == nil:
			return sub
		case errors.Is(err, alerts.ErrTooOld):
			h.jump(h.d.Source.View().Seq)
			continue
		default:
			h.log.Error("fan-out can not subscribe", "error", err)
		}
		if sleep(ctx, retryEvery) != nil {
			return nil
		}
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Recheck closes the consoles whose session ended or whose user's role changed.
func (h *Hub) Recheck() {
	h.mu.Lock()
	all := make([]*client, 0, len(h.clients))
	for c := range h.clients {
		all = append(all, c)
	}
	h.mu.Unlock()
	for _, c := range all {
		if !c.who.Valid() {
			c.end(CloseSession, "session ended")
		}
	}
}

// Why a console finds no place.
var (
	ErrNoRoom  = errors.New("stream: too many consoles are open, or the hub is stopping")
	ErrTooMany = errors.New("stream: the user has too many consoles open")
)

// Room tells whether one more console of a user may connect.
func (h *Hub) Room(who Identity) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.room(who)
}

// room: h.mu is held. Places are kept for those who handle calls, and nobody may take all.
func (h *Hub) room(who Identity) error {
	most := h.cfg.MaxClients
	if !who.Handles {
		most -= h.cfg.MaxClients / 5
	}
	if !h.running || len(h.clients) >= most {
		return ErrNoRoom
	}
	own := 0
	for c := range h.clients {
		if c.who.Name == who.Name {
			own++
		}
	}
	if h.cfg.MaxPerUser > 0 && own >= h.cfg.MaxPerUser {
		return ErrTooMany
	}
	return nil
}

// Len is how many consoles are connected.
func (h *Hub) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.clients)
}

func (h *Hub) join(c *client) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.room(c.who) != nil {
		return false
	}
	h.clients[c] = struct{}{}
	h.readers.Add(1)
	return true
}

func (h *Hub) leave(c *client) {
	h.mu.Lock()
	delete(h.clients, c)
	h.mu.Unlock()
	h.readers.Done()
}

// stop ends every console and waits for them; whoever does not take the farewell in time is cut off.
func (h *Hub) stop() {
	h.mu.Lock()
	h.running = false
	for c := range h.clients {
		c.end(websocket.CloseGoingAway, "the hub is stopping")
	}
	h.mu.Unlock()
	force := time.AfterFunc(stopTimeout, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		for c := range h.clients {
			hangUp(c.conn)
		}
	})
	defer force.Stop()
	h.readers.Wait()
}

// keepSeen hands over what was seen first since the last call; what can not be kept is handed over again later.
func (h *Hub) keepSeen(ctx context.Context) {
	records := h.sights.take()
	if len(records) == 0 || h.d.Seen == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	if err := h.d.Seen(ctx, records); err != nil {
		h.log.Error("first sights not kept", "count", len(records), "error", err)
		h.sights.giveBack(records)
	}
}
