package dashboard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/alerts"
	"watchhouse/dashboard"
	"watchhouse/dashboard/stream"
	"watchhouse/journal"
	"watchhouse/registry"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func errorResult() (alerts.Result, error) { return alerts.Result{}, alerts.ErrNotFound }

// dial opens the stream; the answer is that of a refused handshake.
func (c caller) dial(subprotocols ...string) (*websocket.Conn, *http.Response) {
	c.h.t.Helper()
	d := websocket.Dialer{Subprotocols: subprotocols}
	conn, res, err := d.Dial("ws"+strings.TrimPrefix(c.h.http.URL, "http")+"/api/v1/stream", c.header)
	if err != nil {
		if res == nil {
			c.h.t.Fatal(err)
		}
		return nil, res
	}
	c.h.t.Cleanup(func() { conn.Close() })
	return conn, res
}

// console opens the stream, which must succeed.
func (c caller) console(subprotocols ...string) *websocket.Conn {
	c.h.t.Helper()
	conn, res := c.dial(subprotocols...)
	if conn == nil {
		c.h.t.Fatalf("handshake: %d %s", res.StatusCode, text(res))
	}
	return conn
}

func TestStreamHandshake(t *testing.T) {
	h := newHouse(t, func(h *house) { h.cfg.TrustedOrigins, h.cfg.MaxStreams = []string{"https://wall.example"}, 2 })
	viewer := h.as(registry.Viewer)
	for _, tc := range []struct {
		name   string
		caller caller
		proto  string
		status int
		code   string
	}{
		{"nobody", h.nobody(), stream.Subprotocol, 401, "unauthorized"},
		{"another site", viewer.with("Origin", "https://evil.example"), stream.Subprotocol, 403, "forbidden"},
		{"no subprotocol", viewer, "other", 400, "invalid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			conn, res := tc.caller.dial(tc.proto)
			if conn != nil {
				t.Fatal("the handshake succeeded")
			}
			b, err := io.ReadAll(res.Body)
			if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatal(err)
			}
			if res.StatusCode != tc.status || !strings.Contains(string(b), `"code":"`+tc.code+`"`) {
				t.Errorf("%d %s", res.StatusCode, b)
			}
		})
	}
	viewer.with("Origin", h.http.URL).console(stream.Subprotocol)
	if c := viewer.with("Origin", "https://wall.example").console("other", stream.Subprotocol); c.Subprotocol() != stream.Subprotocol {
		t.Errorf("subprotocol %q", c.Subprotocol())
	}
	h.eventually("two consoles", func() bool { return h.server.Consoles() == 2 })
	conn, res := viewer.dial(stream.Subprotocol)
	if conn != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("a third console: %v", res.Status)
	}
}

// frames collects what arrives until a type of frame; it returns the raw text of all.
func frames(t *testing.T, conn *websocket.Conn, until string) string {
	t.Helper()
	var all strings.Builder
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %q after %s: %v", until, all.String(), err)
		}
		all.Write(b)
		if strings.HasPrefix(string(b), `{"t":"`+until+`"`) {
			return all.String()
		}
	}
}

func say(t *testing.T, conn *websocket.Conn, f stream.ClientFrame) {
	t.Helper()
	if err := conn.WriteJSON(f); err != nil {
		t.Fatal(err)
	}
}

// TestStreamHoldsNoPersonalData follows a whole session and searches all of its bytes.
func TestStreamHoldsNoPersonalData(t *testing.T) {
	h := newHouse(t)
	conn := h.as(registry.Operator).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello"})
	all := frames(t, conn, "welcome")
	_, body := h.as(registry.Operator).get("/api/v1/snapshot")
	all += body
	asOf := into[dashboard.Snapshot](t, body).AsOf
	say(t, conn, stream.ClientFrame{T: "resume", Epoch: asOf.Epoch, Seq: asOf.Seq})
	h.desk.Raise("I1", 1)
	all += frames(t, conn, "b")
	_, err := h.journal.Lane(journal.TelemetryLane).Append(context.Background(), journal.Message{
		Kind: journal.Publish, Device: "btn-1", Client: "btn-1", Topic: "wh/v1/btn-1/telemetry",
		ReceivedNS: time.Now().UnixNano(), Payload: []byte(`{"battery_pct":55}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	dev := frames(t, conn, "dev")
	if !strings.Contains(dev, `"battery_pct":55`) || !strings.Contains(dev, `"person":"p-1"`) {
		t.Errorf("device frame %s", dev)
	}
	all += dev
	p := secretPerson()
	for _, secret := range []string{p.Name, p.Phone, p.Address, p.Note, p.Contacts[0].Name, p.Contacts[0].Phone, "138**"} {
		if strings.Contains(all, secret) {
			t.Errorf("the stream or the snapshot holds %q", secret)
		}
	}
}

func TestStreamEndsWithTheSessionAndWithTheRole(t *testing.T) {
	h := newHouse(t)
	closed := func(conn *websocket.Conn) int {
		t.Helper()
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				if e, ok := errors.AsType[*websocket.CloseError](err); ok {
					return e.Code
				}
				t.Fatal(err)
			}
		}
	}
	k := h.nobody().signIn()
	conn := h.session(k).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello"})
	frames(t, conn, "welcome")
	h.session(k).send(http.MethodPost, "/api/v1/logout", nil)
	if code := closed(conn); code != stream.CloseSession {
		t.Errorf("after logout: %d", code)
	}

	k = h.nobody().signIn()
	conn = h.session(k).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello"})
	frames(t, conn, "welcome")
	dashboard.ExpireSessions(h.server)
	dashboard.RecheckStreams(h.server)
	if code := closed(conn); code != stream.CloseSession {
		t.Errorf("after expiry: %d", code)
	}

	conn = h.as(registry.Operator).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello"})
	frames(t, conn, "welcome")
	h.user(registry.User{Name: "operator", Role: registry.Viewer}, "")
	if code := closed(conn); code != stream.CloseSession {
		t.Errorf("after a change of role: %d", code)
	}
}

func TestFirstSightReachesTheAudit(t *testing.T) {
	h := newHouse(t)
	conn := h.as(registry.Operator).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello", Epoch: "k7", Seq: 0})
	frames(t, conn, "welcome")
	n := h.desk.Raise("I1", 1)
	frames(t, conn, "b")
	say(t, conn, stream.ClientFrame{T: "seen", Seq: n})
	h.eventually("the audit record", func() bool {
		_, body := h.as(registry.Admin).get("/api/v1/audit")
		for _, e := range into[dashboard.Page[dashboard.AuditEntry]](t, body).Items {
			if e.Action == "seen" && len(e.Seen) == 1 && e.Seen[0].Incident == "I1" && e.Seen[0].Actor == "operator" {
				return true
			}
		}
		return false
	})
}

func TestRemovedDeviceAsksForASnapshot(t *testing.T) {
	h := newHouse(t)
	conn := h.as(registry.Operator).console(stream.Subprotocol)
	say(t, conn, stream.ClientFrame{T: "hello", Epoch: "k7", Seq: 0})
	frames(t, conn, "welcome")
	if err := h.reg.DeleteDevice(context.Background(), "test", "house-1"); err != nil {
		t.Fatal(err)
	}
	if f := frames(t, conn, "resync"); !strings.Contains(f, `"snapshot":true`) {
		t.Errorf("frames %s", f)
	}
}

// TestEngineToStream joins the real alert engine: a press in the journal, a batch on the stream, an acknowledgement by REST.
func TestEngineToStream(t *testing.T) {
	h := newHouse(t)
	engine, err := alerts.New(context.Background(), alerts.DefaultConfig(), alerts.Deps{Journal: h.journal, Registry: h.reg, Log: discard()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := dashboard.New(h.cfg, dashboard.Deps{Journal: h.journal, Registry: h.reg, Alerts: dashboard.Engine(engine), Log: discard(), Page: page()})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	go func() { done <- engine.Run(ctx) }()
	go func() { done <- s.Run(ctx) }()
	defer func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}()
	h.http.Config.Handler = s.Handler()
	operator := h.as(registry.Operator)
	var conn *websocket.Conn
	h.eventually("the stream", func() bool { conn, _ = operator.dial(stream.Subprotocol); return conn != nil })
	say(t, conn, stream.ClientFrame{T: "hello", Epoch: engine.Epoch(), Seq: 0})
	frames(t, conn, "welcome")
	_, err = h.journal.Lane(journal.EventLane).Append(ctx, journal.Message{
		Kind: journal.Publish, Device: "btn-1", Client: "btn-1", Topic: "wh/v1/btn-1/event", QoS: 1, ReceivedNS: time.Now().UnixNano(),
		Payload: []byte(`{"type":"sos","boot":1,"seq":1}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	id := raised(t, conn)
	status, body := operator.send(http.MethodPost, "/api/v1/incidents/"+id+"/acknowledge", nil)
	if status != http.StatusOK || into[alerts.Incident](t, body).AcknowledgedBy != "operator" {
		t.Fatalf("acknowledge: %d %s", status, body)
	}
	res := h.as(registry.Supervisor).do(http.MethodPost, "/api/v1/incidents/"+id+"/acknowledge", nil)
	if p := problem(t, res, http.StatusConflict, "conflict"); p.Current == nil || p.Current.AcknowledgedBy != "operator" {
		t.Errorf("the second one is not told who was faster: %+v", p)
	}
	res = operator.with("If-Match", `"0"`).do(http.MethodPost, "/api/v1/incidents/"+id+"/resolve", map[string]any{"text": "neighbour went", "disposition": "real_visited"})
	problem(t, res, http.StatusConflict, "conflict")
	status, body = operator.get("/api/v1/incidents/" + id)
	if d := into[dashboard.IncidentDetail](t, body); status != http.StatusOK || len(d.Timeline) < 2 || d.Incident.State != alerts.StateAcknowledged {
		t.Errorf("detail: %d %s", status, body)
	}
}

// raised reads the stream until an incident is raised.
func raised(t *testing.T, conn *websocket.Conn) string {
	t.Helper()
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var f stream.BatchFrame
		if err := json.Unmarshal(b, &f); err != nil {
			continue
		}
		for _, e := range f.Ev {
			if e.Kind == "raised" && e.Incident.Device == "btn-1" {
				if e.Incident.Priority != 1 {
					t.Fatal(fmt.Sprint("priority ", e.Incident.Priority))
				}
				return e.Incident.ID
			}
		}
	}
}
