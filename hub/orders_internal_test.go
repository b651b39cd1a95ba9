package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"watchhouse/alerts"
	"watchhouse/journal"
	"watchhouse/registry"
	"watchhouse/telemetry"
)

// office is a contact's address, and the outbox that a courier empties.
type office struct {
	mu      sync.Mutex
	answers []int // statuses in order, the last one for ever; 0 = the connection is cut
	bodies  []string
	keys    []string
	pending []alerts.OutboxEntry
	settled map[string]string
	changed chan struct{}
	logged  strings.Builder
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	o.mu.Lock()
	o.bodies, o.keys = append(o.bodies, string(body)), append(o.keys, r.Header.Get("Idempotency-Key"))
	status := o.answers[min(len(o.bodies), len(o.answers))-1]
	o.mu.Unlock()
	if status == 0 {
		panic(http.ErrAbortHandler)
	}
	if status == http.StatusFound {
		w.Header().Set("Location", "/elsewhere")
	}
	w.WriteHeader(status)
}

func (o *office) outbox() ([]alerts.OutboxEntry, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.pending), o.changed
}

func (o *office) settle(_ context.Context, id, result string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settled[id] = result
	o.pending = slices.DeleteFunc(o.pending, func(e alerts.OutboxEntry) bool { return e.ID == id })
	close(o.changed)
	o.changed = make(chan struct{})
	return nil
}

func (o *office) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.logged.Write(p)
}

func (o *office) result(id string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settled[id]
}

// streets is a registry with a sorting point at a place and a contact whose address holds a secret, and further contacts.
func streets(t *testing.T, address string, more ...registry.Contact) *registry.Registry {
	t.Helper()
	cfg := journal.DefaultConfig()
	cfg.Dir, cfg.ReserveBytes = t.TempDir(), 1<<20
	j, err := journal.Open(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(context.Background()) })
	r, err := registry.Open(t.Context(), registry.Config{KeyFile: t.TempDir() + "/key"}, j)
	if err != nil {
		t.Fatal(err)
	}
	contacts, reach := append(more, registry.Contact{ID: "k-1", Duty: "sanitation", Webhook: address}), map[string]registry.Reach{}
	for _, c := range contacts {
		reach[c.ID] = registry.Reach{Name: "王建国"}
	}
	for _, err := range []error{
		r.PutAreas(t.Context(), "test", []registry.Area{{ID: "c-1", Name: "临沂一村"}}),
		r.PutPlaces(t.Context(), "test", []registry.Place{{ID: "p-1", Name: "12号楼旁"}}),
		r.PutContacts(t.Context(), "test", contacts, reach),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.PutDevices(t.Context(), "test", []registry.Device{{ID: "s-1", Kind: telemetry.SortingPoint, Area: "c-1", Place: "p-1"}}, nil); err != nil {
		t.Fatal(err)
	}
	return r
}

func orderEntry() alerts.OutboxEntry {
	return alerts.OutboxEntry{
		ID: "O1", Type: alerts.OutboxOrder, Device: "s-1", Incident: "I1", Contact: "k-1", At: 5, Expires: time.Now().Add(time.Hour).UnixMilli(),
		Args: map[string]string{"title_zh": "将满", "title_en": "Nearly full", "todo_zh": "换桶。", "todo_en": "Swap the bin."},
	}
}

// startCourier runs a courier on an office until the test ends.
func startCourier(t *testing.T, o *office, address string, more ...registry.Contact) {
	t.Helper()
	r := streets(t, address, more...)
	transport := &http.Transport{}
	c := &courier{
		outbox: o.outbox, settle: o.settle, view: r.View, backoff: 100 * time.Microsecond, log: slog.New(slog.NewTextHandler(o, nil)),
		client: &http.Client{Transport: transport, Timeout: 5 * time.Second},
		shown: func() *alerts.View {
			return &alerts.View{Incidents: []*alerts.Incident{{ID: "I1", RaisedAt: 1763888888000, Area: "c-1", Component: "wet", Person: "person-7"}}}
		},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		transport.CloseIdleConnections()
	})
}

func (o *office) wait(t *testing.T, want string) {
	t.Helper()
	o.waitFor(t, "O1", want)
}

func (o *office) waitFor(t *testing.T, id, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); o.result(id) == "" && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if got := o.result(id); got != want {
		t.Errorf("%s settled %q, want %q; log %s", id, got, want, o.logged.String())
	}
}

// add puts an order into the outbox.
func (o *office) add(e alerts.OutboxEntry) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = append(o.pending, e)
	close(o.changed)
	o.changed = make(chan struct{})
}

// TestADeadAddressHoldsUpNobodyElse: while it keeps its one attempt waiting, the orders of the others go, also those that come later.
func TestADeadAddressHoldsUpNobodyElse(t *testing.T) {
	var waiting, most atomic.Int32
	asked := make(chan struct{}, 100)
	dead := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // so that the server sees when the client gives up
		most.Store(max(most.Load(), waiting.Add(1)))
		defer waiting.Add(-1)
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(dead.Close)
	o := &office{answers: []int{200}, settled: map[string]string{}, changed: make(chan struct{})}
	order := func(id, contact string) alerts.OutboxEntry {
		e := orderEntry()
		e.ID, e.Contact = id, contact
		return e
	}
	for n := range 3 * ordersAtOnce {
		o.pending = append(o.pending, order(fmt.Sprintf("D%d", n), "k-dead"))
	}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	startCourier(t, o, server.URL, registry.Contact{ID: "k-dead", Duty: "tech", Webhook: dead.URL})
	<-asked
	for _, id := range []string{"O1", "O2", "O3"} {
		o.add(order(id, "k-1"))
		o.waitFor(t, id, orderDelivered)
	}
	if n := most.Load(); n != 1 {
		t.Errorf("%d attempts at once for the dead address", n)
	}
}

// TestAnOrderThatAlwaysFailsHoldsUpNoOther of its contact.
func TestAnOrderThatAlwaysFailsHoldsUpNoOther(t *testing.T) {
	o := &office{settled: map[string]string{}, changed: make(chan struct{})}
	posts := []string{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("Idempotency-Key")
		o.mu.Lock()
		posts = append(posts, id)
		o.mu.Unlock()
		if id == "O1" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	for _, id := range []string{"O1", "O2", "O3"} {
		e := orderEntry()
		e.ID = id
		o.pending = append(o.pending, e)
	}
	startCourier(t, o, server.URL)
	o.wait(t, orderFailed)
	if len(posts) < 3 || !slices.Equal(posts[:3], []string{"O1", "O2", "O3"}) {
		t.Errorf("posted %v", posts)
	}
}

// TestOrdersAreDelivered: what a contact's address answers decides what becomes of an order.
func TestOrdersAreDelivered(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers []int
		want    string
		posts   int
	}{
		{"taken at once", []int{200}, orderDelivered, 1},
		{"taken after trouble", []int{503, 0, 429, 500, 204}, orderDelivered, 5},
		{"refused", []int{404}, orderRefused, 1},
		{"moved: nobody registered the other place", []int{302}, orderRefused, 1},
		{"never taken", []int{500}, orderFailed, orderAttempts},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := &office{answers: c.answers, pending: []alerts.OutboxEntry{orderEntry()}, settled: map[string]string{}, changed: make(chan struct{})}
			server := httptest.NewServer(o)
			t.Cleanup(server.Close)
			startCourier(t, o, server.URL+"/hook/a-secret-token")
			o.wait(t, c.want)
			o.mu.Lock()
			defer o.mu.Unlock()
			if len(o.bodies) != c.posts || o.keys[0] != "O1" {
				t.Errorf("posted %d times with %q, want %d", len(o.bodies), o.keys, c.posts)
			}
			if text := o.logged.String(); strings.Contains(text, "token") || strings.Contains(text, "换桶") {
				t.Errorf("the log holds the address or the body: %s", text)
			}
		})
	}
}

// TestWebhooksKeepOffThisMachine: whoever may enter a contact does not reach what trusts this machine, by number, by name or
// through a mapped address.
func TestWebhooksKeepOffThisMachine(t *testing.T) {
	for address, refused := range map[string]bool{
		"127.0.0.1:8086": true, "127.9.9.9:80": true, "[::1]:8086": true, "[::ffff:127.0.0.1]:80": true, "0.0.0.0:80": true,
		"169.254.169.254:80": true, "[fe80::1]:80": true, "224.0.0.1:80": true, "192.168.1.5:80": false, "10.0.0.8:443": false,
		"203.0.113.7:443": false,
	} {
		if err := refuseLocal("tcp", address, nil); (err != nil) != refused {
			t.Errorf("%s: %v", address, err)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	client := &http.Client{Transport: &http.Transport{DialContext: (&net.Dialer{Control: refuseLocal}).DialContext}}
	if _, err := client.Post(strings.Replace(server.URL, "127.0.0.1", "localhost", 1), "", nil); !errors.Is(err, errLocal) {
		t.Errorf("a name of this machine: %v", err)
	}
}

// TestWhatAnOrderSays: where and what, in both languages, and nothing about persons.
func TestWhatAnOrderSays(t *testing.T) {
	o := &office{answers: []int{200}, pending: []alerts.OutboxEntry{orderEntry()}, settled: map[string]string{}, changed: make(chan struct{})}
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	startCourier(t, o, server.URL)
	o.wait(t, orderDelivered)
	var got orderBody
	if err := json.Unmarshal([]byte(o.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	want := orderBody{
		ID: "O1", Incident: "I1", Device: "s-1", Component: "wet", Place: "12号楼旁", Area: "c-1", AreaName: "临沂一村",
		Title: words{"将满", "Nearly full"}, Todo: words{"换桶。", "Swap the bin."}, RaisedAt: 1763888888000,
	}
	if got != want || strings.Contains(o.bodies[0], "person") || strings.Contains(o.bodies[0], "王") {
		t.Errorf("sent %s", o.bodies[0])
	}
}

// TestOrdersThatGoNowhere: nobody listens, the contact has no address any more, it is too late, it is not an order.
func TestOrdersThatGoNowhere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		address, want string
	}{"nobody listens": {closed, orderFailed}, "no address": {"", orderNoAddress}} {
		t.Run(name, func(t *testing.T) {
			o := &office{pending: []alerts.OutboxEntry{orderEntry()}, settled: map[string]string{}, changed: make(chan struct{})}
			startCourier(t, o, c.address)
			o.wait(t, c.want)
		})
	}
	t.Run("late, and a command", func(t *testing.T) {
		late, command := orderEntry(), orderEntry()
		late.ID, late.Expires = "O2", time.Now().Add(-time.Minute).UnixMilli()
		command.ID, command.Type = "O3", "receipt"
		o := &office{answers: []int{200}, pending: []alerts.OutboxEntry{late, command, orderEntry()}, settled: map[string]string{}, changed: make(chan struct{})}
		server := httptest.NewServer(o)
		t.Cleanup(server.Close)
		startCourier(t, o, server.URL)
		o.wait(t, orderDelivered)
		if len(o.bodies) != 1 {
			t.Errorf("posted %q", o.keys)
		}
	})
}
