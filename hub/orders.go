package hub

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"

	"watchhouse/alerts"
	"watchhouse/registry"
)

// courier posts the ledger's orders to the addresses of their contacts. The outbox is durable, so it keeps nothing but when it
// last tried: after a restart an order that is not settled is posted again, and its receiver tells by the id.
type courier struct {
	outbox  func() ([]alerts.OutboxEntry, <-chan struct{})
	settle  func(ctx context.Context, id, result string) error
	view    func() *registry.View
	shown   func() *alerts.View
	client  *http.Client
	backoff time.Duration // before the second attempt; doubled before each further one
	log     *slog.Logger
	tried   map[string]attempts // by order
	busy    map[string]bool     // contacts with an attempt in flight
	ended   chan ended
	slots   chan struct{}
	posts   sync.WaitGroup
}

type attempts struct {
	n    int
	next time.Time
}

// ended tells of an attempt.
type ended struct {
	contact string
	settled bool
}

// Bounds of a delivery. An order that no attempt has brought across is settled as failed: it becomes an alarm when it is late.
const (
	orderAttempts = 12
	orderBackoff  = 2 * time.Second
	orderPause    = 10 * time.Minute // the longest between two attempts
	orderTimeout  = 10 * time.Second // of one
	ordersAtOnce  = 4
	orderTick     = time.Second
)

// Results of an order in the ledger.
const (
	orderDelivered = "delivered"
	orderRefused   = "refused" // the address says that it will never take it
	orderFailed    = "failed"
	orderNoAddress = "no_address" // the contact has none any more
)

// orderBody is what a contact's address is sent. It holds no personal data.
type orderBody struct {
	ID        string `json:"id"`
	Incident  string `json:"incident"`
	Device    string `json:"device"`
	Component string `json:"component,omitempty"`
	Place     string `json:"place,omitempty"`
	Area      string `json:"area,omitempty"`
	AreaName  string `json:"area_name,omitempty"`
	Title     words  `json:"title"`
	Todo      words  `json:"todo"`
	RaisedAt  int64  `json:"raised_at"`
}

type words struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

func (h *Hub) deliverOrders(ctx context.Context) error {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if !h.cfg.LocalWebhooks {
		transport.Proxy, transport.DialContext = nil, (&net.Dialer{Timeout: orderTimeout, Control: refuseLocal}).DialContext
	}
	defer transport.CloseIdleConnections()
	c := &courier{
		outbox: h.alerts.Outbox, settle: h.alerts.Settle, view: h.registry.View, shown: h.alerts.View, backoff: orderBackoff,
		log: h.log.With("part", "orders"), client: &http.Client{Transport: transport, Timeout: orderTimeout},
	}
	return c.run(ctx)
}

// errLocal is an address that only programs of this machine should reach. It is looked at after the name was resolved.
var errLocal = errors.New("webhooks on this machine are off (local_webhooks)")

func refuseLocal(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	if ip := at.Addr().Unmap(); ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() {
		return errLocal
	}
	return nil
}

func (c *courier) run(ctx context.Context) error {
	// Where an order goes was registered; where an answer points to was not.
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.tried, c.busy, c.ended, c.slots = map[string]attempts{}, map[string]bool{}, make(chan ended), make(chan struct{}, ordersAtOnce)
	defer c.posts.Wait()
	tick := time.NewTicker(min(orderTick, c.backoff))
	defer tick.Stop()
	for ctx.Err() == nil {
		pending, changed := c.outbox()
		c.deliver(ctx, pending)
		c.rest(ctx, changed, tick.C)
	}
	return nil
}

// rest waits until there may be something to post: also the next order of a contact that has just taken one. One that has not
// waits for the next pass.
func (c *courier) rest(ctx context.Context, changed <-chan struct{}, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			return
		case <-tick:
			return
		case e := <-c.ended:
			delete(c.busy, e.contact)
			if e.settled {
				return
			}
		}
	}
}

// deliver posts what is due without waiting for the answers. Each contact has one attempt at a time, so that a dead address
// holds up nobody else's orders; its order that was tried least is next, so that one that always fails holds up no other.
func (c *courier) deliver(ctx context.Context, pending []alerts.OutboxEntry) {
	now, live, due := time.Now(), map[string]bool{}, map[string]alerts.OutboxEntry{}
	for _, entry := range pending {
		if entry.Type != alerts.OutboxOrder {
			continue
		}
		live[entry.ID] = true
		tried := c.tried[entry.ID]
		if c.busy[entry.Contact] || now.Before(tried.next) || now.UnixMilli() > entry.Expires {
			continue
		}
		if other, ok := due[entry.Contact]; !ok || tried.n < c.tried[other.ID].n {
			due[entry.Contact] = entry
		}
	}
	for id := range c.tried {
		if !live[id] {
			delete(c.tried, id)
		}
	}
	for _, entry := range due {
		c.start(ctx, entry, now)
	}
}

// start makes an attempt in a goroutine that ends with ctx, and waits in it for a slot: first come, first served.
func (c *courier) start(ctx context.Context, entry alerts.OutboxEntry, now time.Time) {
	tried := c.tried[entry.ID]
	c.tried[entry.ID] = attempts{tried.n + 1, now.Add(min(c.backoff<<tried.n, orderPause))}
	c.busy[entry.Contact] = true
	c.posts.Go(func() {
		select {
		case c.slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		settled := c.attempt(ctx, entry, tried.n+1)
		<-c.slots
		select {
		case c.ended <- ended{entry.Contact, settled}:
		case <-ctx.Done():
		}
	})
}

// attempt posts an order once and reports whether that settled it.
func (c *courier) attempt(ctx context.Context, entry alerts.OutboxEntry, n int) (settled bool) {
	result, err := c.post(ctx, entry)
	if err != nil && n >= orderAttempts {
		result = orderFailed
	}
	if err != nil && ctx.Err() == nil {
		c.log.Warn("order not delivered", "order", entry.ID, "contact", entry.Contact, "attempt", n, "result", result, "err", err)
	}
	if result == "" {
		return false
	}
	err = c.settle(ctx, entry.ID, result)
	if err != nil && ctx.Err() == nil {
		c.log.Error("order not settled", "order", entry.ID, "err", err) // it is posted again under the same id
	}
	return err == nil
}

// post gives the result that ends an order, "" when it is to be tried again.
func (c *courier) post(ctx context.Context, entry alerts.OutboxEntry) (result string, err error) {
	address := c.address(entry.Contact)
	if address == "" {
		return orderNoAddress, errors.New("the contact has no address")
	}
	body, err := json.Marshal(c.body(entry))
	if err != nil {
		return orderFailed, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return orderRefused, errors.New("the address is no URL")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", entry.ID)
	answer, err := c.client.Do(r)
	if err != nil {
		return "", withoutURL(err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	return outcome(answer.StatusCode)
}

func outcome(status int) (string, error) {
	switch {
	case status >= 200 && status < 300:
		return orderDelivered, nil
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return "", fmt.Errorf("status %d", status)
	}
	return orderRefused, fmt.Errorf("status %d", status)
}

// withoutURL takes the address off an error: it may hold a secret.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

func (c *courier) address(contact string) string {
	for _, x := range c.view().Contacts() {
		if x.ID == contact {
			return x.Webhook
		}
	}
	return ""
}

func (c *courier) body(entry alerts.OutboxEntry) orderBody {
	b := orderBody{
		ID: entry.ID, Incident: entry.Incident, Device: entry.Device, RaisedAt: entry.At,
		Title: words{entry.Args["title_zh"], entry.Args["title_en"]}, Todo: words{entry.Args["todo_zh"], entry.Args["todo_en"]},
	}
	if i, ok := c.shown().Incident(entry.Incident); ok {
		b.RaisedAt, b.Area, b.Component = i.RaisedAt, i.Area, i.Component
	}
	view := c.view()
	if area, ok := view.Area(b.Area); ok {
		b.AreaName = area.Name
	}
	if device, ok := view.Device(entry.Device); ok {
		place, _ := view.Place(device.Place)
		b.Place = place.Name
	}
	return b
}
