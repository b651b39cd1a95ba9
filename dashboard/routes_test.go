package dashboard_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"watchhouse/alerts"
	"watchhouse/dashboard"
	"watchhouse/dashboard/live"
	"watchhouse/dashboard/stream/streamtest"
	"watchhouse/ingest"
	"watchhouse/journal"
	"watchhouse/registry"
)

// routeCases are one good and several bad requests to each route.
var routeCases = []struct {
	method, path string
	body         any
	header       []string
	status       int
	want         string // part of the body
}{
	{"GET", "/me", nil, nil, 200, `"permissions":["view"`},
	{"GET", "/snapshot", nil, nil, 200, `"as_of":{"epoch":"k7","seq":1}`},
	{"GET", "/incidents", nil, nil, 200, `"id":"I1"`},
	{"GET", "/incidents?state=closed", nil, nil, 200, `{"items":[],"next":""}`},
	{"GET", "/incidents?state=broken", nil, nil, 422, `"location":"query.state"`},
	{"GET", "/incidents?limit=0", nil, nil, 422, `"location":"query.limit"`},
	{"GET", "/incidents?limit=many", nil, nil, 422, `"location":"query.limit"`},
	{"GET", "/incidents?cursor=x", nil, nil, 422, `"location":"query.cursor"`},
	{"GET", "/incidents?colour=red", nil, nil, 422, `"location":"query.colour"`},
	{"GET", "/incidents/I1", nil, nil, 200, `"timeline":[{"seq":1`},
	{"GET", "/incidents/I2", nil, nil, 404, `"code":"not_found"`},
	{"POST", "/incidents", map[string]any{"device": "btn-1", "rule": "MANUAL", "text": "12345 called", "priority": 2}, nil, 201, `{"id":"I1",`},
	{"POST", "/incidents", map[string]any{"device": "btn-9", "rule": "MANUAL", "text": "t", "priority": 2}, nil, 422, `"location":"body.device"`},
	{"POST", "/incidents", map[string]any{"device": "btn-1", "rule": "EB-SOS", "text": "t", "priority": 2}, nil, 422, `"location":"body.rule"`},
	{"POST", "/incidents", map[string]any{"device": "btn-1", "rule": "MANUAL", "text": "t", "priority": 5}, nil, 422, `"location":"body.priority"`},
	{"POST", "/incidents", map[string]any{"device": "btn-1", "rule": "MANUAL", "text": "t", "priority": 2, "color": 1}, nil, 422, `"location":"body.color"`},
	{"POST", "/incidents", `{"device":`, nil, 400, `"code":"invalid"`},
	{"POST", "/incidents", `device=btn-1`, []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, `"code":"invalid"`},
	{"POST", "/incidents", strings.Repeat(" ", 70_000) + "{}", nil, 413, `"code":"invalid"`},
	{"POST", "/incidents/I1/acknowledge", nil, nil, 200, `"id":"I1"`},
	{"POST", "/incidents/I1/acknowledge", map[string]any{}, nil, 200, `"id":"I1"`},
	{"POST", "/incidents/I1/note", map[string]any{"text": "called back"}, nil, 200, `"id":"I1"`},
	{"POST", "/incidents/I1/note", map[string]any{"text": "  "}, nil, 422, `"location":"body.text"`},
	{"POST", "/incidents/I1/resolve", map[string]any{"text": "done well", "disposition": "false_press"}, []string{"If-Match", `"1"`}, 200, `"id":"I1"`},
	{"POST", "/incidents/I1/resolve", map[string]any{"disposition": "bored"}, []string{"If-Match", `"1"`}, 422, `"location":"body.disposition"`},
	{"POST", "/incidents/I1/resolve", map[string]any{"name": "x"}, []string{"If-Match", `"1"`}, 422, `"location":"body.name"`},
	{"POST", "/incidents/I1/close", map[string]any{}, nil, 428, `"location":"header.If-Match"`},
	{"POST", "/incidents/I1/close", map[string]any{}, []string{"If-Match", `1`}, 422, `"location":"header.If-Match"`},
	{"POST", "/incidents/I1/close", map[string]any{}, []string{"If-Match", `"one"`}, 422, `"location":"header.If-Match"`},
	{"POST", "/incidents/I1/unacknowledge", map[string]any{}, nil, 428, `"code":"precondition_required"`},
	{"POST", "/incidents/I1/reopen", map[string]any{}, nil, 428, `"code":"precondition_required"`},
	{"POST", "/incidents/I1/explode", map[string]any{}, nil, 404, `"code":"not_found"`},
	{"GET", "/devices", nil, nil, 200, `"id":"btn-1"`},
	{"GET", "/devices?kind=safety_house&q=%E4%B8%9C", nil, nil, 200, `"id":"house-1"`},
	{"GET", "/devices?area=c-9", nil, nil, 200, `{"items":[],"next":""}`},
	{"GET", "/devices/btn-1", nil, nil, 200, `"online":null`},
	{"GET", "/devices/btn-9", nil, nil, 404, `"code":"not_found"`},
	{"GET", "/devices/btn-1/metrics", nil, nil, 200, `{"items":["battery_pct","rssi_dbm"],"next":""}`},
	{"GET", "/devices/btn-9/metrics", nil, nil, 404, `"code":"not_found"`},
	{"GET", "/devices/btn-1/series?metric=battery_pct&from=1000&to=9000", nil, nil, 200, `"every_ms":1000`},
	{"GET", "/devices/btn-1/series?metric=battery_pct&every=600000", nil, nil, 200, `"every_ms":600000`},
	{"GET", "/devices/btn-1/series", nil, nil, 422, `"location":"query.metric"`},
	{"GET", "/devices/btn-1/series?metric=a%22b", nil, nil, 422, `"location":"query.metric"`},
	{"GET", "/devices/btn-1/series?metric=a&from=9&to=8", nil, nil, 422, `"location":"query.from"`},
	{"GET", "/devices/btn-1/series?metric=a&from=1&every=1", nil, nil, 422, `"location":"query.every"`},
	{"GET", "/devices/btn-1/series?metric=a&to=9223372036854775807", nil, nil, 422, `"location":"query.to"`},
	{"GET", "/areas", nil, nil, 200, `{"items":[{"id":"c-1","name":"罗山七村","name_en":"Luoshan 7"}],"next":""}`},
	{"GET", "/people/p-1", nil, nil, 200, `"masked_name":"王`},
	{"GET", "/people/p-9", nil, nil, 404, `"code":"not_found"`},
	{"POST", "/people/p-1/reveal", nil, nil, 200, `"phone":"13812341234"`},
	{"POST", "/people/p-1/reveal", map[string]any{"incident": "I1"}, nil, 200, `"contacts":[{"name":"王小明"`},
	{"POST", "/people/p-9/reveal", nil, nil, 404, `"code":"not_found"`},
	{"GET", "/users", nil, nil, 200, `"name":"admin","role":"admin"`},
	{"GET", "/journal", nil, nil, 200, `"items":[]`},
	{"GET", "/journal?lane=other", nil, nil, 422, `"location":"query.lane"`},
	{"GET", "/journal?cursor=AAAA", nil, nil, 422, `"location":"query.cursor"`},
	{"GET", "/journal/rejects", nil, nil, 200, `{"items":[],"next":""}`},
	{"GET", "/journal/deadletters", nil, nil, 200, `{"items":[],"next":""}`},
	{"POST", "/journal/deadletters/1/redrive", nil, nil, 200, `{"outcome":"undecodable","points":0,"reason":"no number"}`},
	{"POST", "/journal/deadletters/0/redrive", nil, nil, 422, `"location":"path.n"`},
	{"POST", "/journal/deadletters/x/redrive", nil, nil, 422, `"location":"path.n"`},
	{"GET", "/audit", nil, nil, 200, `"action":"reveal"`},
	{"GET", "/audit", nil, nil, 200, `"action":"redrive","object":"deadletter/1"`},
	{"GET", "/openapi.json", nil, nil, 200, `"openapi": "3.1`},
	{"GET", "/nothing", nil, nil, 404, `"code":"not_found"`},
	{"DELETE", "/me", nil, nil, 405, "This path takes GET only."},
	{"OPTIONS", "/incidents", nil, nil, 405, "This path takes GET, POST only."},
	{"DELETE", "/nothing", nil, nil, 404, `"code":"not_found"`},
	{"GET", "/stream", nil, nil, 426, `"code":"invalid"`},
}

func TestRoutes(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.history = series{}
		h.letters = letters{out: ingest.Redriven{Outcome: ingest.OutcomeUndecodable, Reason: "no number"}}
	})
	h.desk.Raise("I1", 1)
	i := streamtest.Incident("I1", 1, alerts.StateAcknowledged)
	h.desk.timeline = []alerts.Transition{{N: 1, Kind: "raised", Incident: i}}
	h.desk.answer(alerts.Result{Incident: i}, nil)
	for _, tc := range routeCases {
		name := fmt.Sprintf("%s %s %v", tc.method, tc.path, tc.status)
		t.Run(name, func(t *testing.T) {
			res := h.as(registry.Admin).with(tc.header...).do(tc.method, "/api/v1"+tc.path, tc.body)
			body := text(res)
			if res.StatusCode != tc.status || !strings.Contains(body, tc.want) {
				t.Fatalf("%d %s\nwant %d with %s", res.StatusCode, body, tc.status, tc.want)
			}
			if want := "application/problem+json"; tc.status >= 400 && res.Header.Get("Content-Type") != want {
				t.Errorf("content type %q, want %q", res.Header.Get("Content-Type"), want)
			}
			if strings.Contains(body, "null") && tc.status < 400 && strings.Contains(body, ":null") && !strings.Contains(body, `"online":null`) && !strings.Contains(body, `"lat":null`) {
				t.Errorf("an answer holds null: %s", body)
			}
		})
	}
}

// TestRoles: what each role may do, route by route.
func TestRoles(t *testing.T) {
	h := newHouse(t)
	i := streamtest.Incident("I1", 1, alerts.StateAcknowledged)
	h.desk.timeline = []alerts.Transition{{N: 1, Kind: "raised", Incident: i}}
	h.desk.answer(alerts.Result{Incident: i}, nil)
	all := []string{"viewer", "guard", "maintainer", "operator", "supervisor", "admin"}
	handle, review := []string{"operator", "supervisor", "admin"}, []string{"supervisor", "admin"}
	for _, tc := range []struct {
		method, path string
		may          []string
	}{
		{"GET", "/me", all},
		{"GET", "/snapshot", all},
		{"GET", "/incidents", all},
		{"GET", "/incidents/I1", all},
		{"POST", "/incidents", handle},
		{"POST", "/incidents/I1/acknowledge", handle},
		{"POST", "/incidents/I1/unacknowledge", handle},
		{"POST", "/incidents/I1/note", handle},
		{"POST", "/incidents/I1/resolve", handle},
		{"POST", "/incidents/I1/close", review},
		{"POST", "/incidents/I1/reopen", review},
		{"GET", "/devices", all},
		{"GET", "/devices/btn-1", all},
		{"GET", "/devices/btn-1/metrics", all},
		{"GET", "/devices/btn-1/series?metric=battery_pct", all},
		{"GET", "/areas", all},
		{"GET", "/people/p-1", all},
		{"POST", "/people/p-1/reveal", handle},
		{"GET", "/users", []string{"admin"}},
		{"GET", "/audit", []string{"admin"}},
		{"GET", "/journal", []string{"maintainer", "supervisor", "admin"}},
		{"GET", "/journal/rejects", []string{"maintainer", "supervisor", "admin"}},
		{"GET", "/journal/deadletters", []string{"maintainer", "supervisor", "admin"}},
		{"POST", "/journal/deadletters/1/redrive", []string{"maintainer", "supervisor", "admin"}},
		{"GET", "/stream", all},
	} {
		t.Run(tc.method+" "+tc.path, func(t *testing.T) {
			var body any
			if tc.method == http.MethodPost {
				body = map[string]any{}
			}
			problem(t, h.nobody().do(tc.method, "/api/v1"+tc.path, body), http.StatusUnauthorized, "unauthorized")
			problem(t, h.nobody().with("Authorization", "Bearer guessed").do(tc.method, "/api/v1"+tc.path, body), http.StatusUnauthorized, "unauthorized")
			for _, role := range all {
				status, answer := h.as(registry.Role(role)).send(tc.method, "/api/v1"+tc.path, body)
				if may := slices.Contains(tc.may, role); may == (status == http.StatusForbidden) || status == http.StatusUnauthorized || status >= 500 && status != 503 {
					t.Errorf("%s: %d %s, may: %v", role, status, answer, may)
				}
			}
		})
	}
}

func TestCommandsReachTheEngineWhole(t *testing.T) {
	h := newHouse(t)
	i := streamtest.Incident("I1", 1, alerts.StateResolved)
	i.Version = 4
	h.desk.answer(alerts.Result{Incident: i, Repeated: true}, nil)
	res := h.as(registry.Operator).with("If-Match", `"3"`, "Idempotency-Key", "k-1").do(http.MethodPost, "/api/v1/incidents/I1/resolve",
		map[string]any{"text": " neighbour was there ", "disposition": "real_visited"})
	if res.StatusCode != http.StatusOK || res.Header.Get("ETag") != `"4"` || res.Header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	c := h.desk.last(t)
	if c.Actor != "operator" || c.Key != "k-1" || c.Incident != "I1" || c.Action != "resolve" || c.IfVersion == nil || *c.IfVersion != 3 ||
		c.Text != "neighbour was there" || c.Disposition != "real_visited" {
		t.Errorf("command %+v", c)
	}
	h.desk.answer(alerts.Result{Incident: i}, nil)
	res = h.as(registry.Operator).do(http.MethodPost, "/api/v1/incidents", map[string]any{"rule": "MANUAL", "text": "fell at the gate", "priority": 1})
	if res.StatusCode != http.StatusCreated || res.Header.Get("Location") != "/api/v1/incidents/I1" || res.Header.Get("ETag") != `"4"` {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text(res))
	}
	if c := h.desk.last(t); c.Action != "open" || c.Rule != "MANUAL" || c.Priority != 1 || c.Device != "" {
		t.Errorf("command %+v", c)
	}
}

func TestErrorsOfTheEngineAreProblems(t *testing.T) {
	h := newHouse(t)
	now := streamtest.Incident("I1", 1, alerts.StateAcknowledged)
	now.AcknowledgedBy = "bert"
	for _, tc := range []struct {
		err    error
		status int
		code   string
	}{
		{&alerts.ConflictError{Current: now, Reason: "version"}, 409, "conflict"},
		{&alerts.InvalidError{Field: "text", Want: "at least 4 characters"}, 422, "invalid"},
		{&alerts.InvalidError{Field: "idempotency_key", Want: "a new key"}, 422, "invalid"},
		{fmt.Errorf("open: %w", registry.ErrKey), 503, "unavailable"},
		{alerts.ErrNotFound, 404, "not_found"},
		{fmt.Errorf("append: %w", journal.ErrLaneFull), 503, "unavailable"},
		{fmt.Errorf("append: %w", context.DeadlineExceeded), 503, "unavailable"},
		{errDisk, 500, "internal"},
	} {
		t.Run(tc.code, func(t *testing.T) {
			h.desk.answer(alerts.Result{}, tc.err)
			res := h.as(registry.Operator).do(http.MethodPost, "/api/v1/incidents/I1/acknowledge", map[string]any{})
			p := problem(t, res, tc.status, tc.code)
			if tc.status == 409 && (p.Reason != "version" || p.Current == nil || p.Current.AcknowledgedBy != "bert") {
				t.Errorf("problem %+v without the winner", p)
			}
			var field *alerts.InvalidError
			if want := map[string]string{"text": "body.text", "idempotency_key": "header.Idempotency-Key"}; errors.As(tc.err, &field) &&
				(len(p.Errors) != 1 || p.Errors[0].Location != want[field.Field]) {
				t.Errorf("faulty fields %+v", p.Errors)
			}
			if strings.Contains(fmt.Sprintf("%+v", p), "disk on fire") {
				t.Error("an internal error's text was sent")
			}
			if tc.status == 503 && res.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		})
	}
}

func TestHistoryMayBeAway(t *testing.T) {
	for name, history := range map[string]dashboard.History{"none": nil, "silent": series{err: fmt.Errorf("query: %w", ingest.ErrUnavailable)}} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, func(h *house) { h.history = history })
			for _, path := range []string{"/metrics", "/series?metric=battery_pct"} {
				res := h.as(registry.Viewer).do(http.MethodGet, "/api/v1/devices/btn-1"+path, nil)
				p := problem(t, res, http.StatusServiceUnavailable, "history_unavailable")
				if configured := history != nil; configured == strings.Contains(p.Detail, "has no time-series database") || configured != strings.Contains(h.log.String(), "ERROR") {
					t.Errorf("configured %v: detail %q, log %q", configured, p.Detail, h.log.String())
				}
			}
		})
	}
}

func TestIncidentsArePagedNewestFirst(t *testing.T) {
	h := newHouse(t)
	var want []string
	for n := range 25 {
		i := streamtest.Incident(fmt.Sprintf("I%02d", n), 3, alerts.StateNew)
		i.RaisedAt = int64(1000 + n/2) // pairs share a time
		h.desk.Append(alerts.Transition{Kind: "raised", Incident: i})
		want = append(want, i.ID)
	}
	slices.Reverse(want)
	if got := ids(t, h, "/api/v1/incidents?limit=4", func(i alerts.Incident) string { return i.ID }); !slices.Equal(got, want) {
		t.Errorf("pages give %v\nwant %v", got, want)
	}
}

func TestDevicesArePaged(t *testing.T) {
	h := newHouse(t)
	if got := ids(t, h, "/api/v1/devices?limit=1", func(d live.DeviceState) string { return d.ID }); !slices.Equal(got, []string{"btn-1", "house-1"}) {
		t.Errorf("pages give %v", got)
	}
}

// ids follows the cursors of a list to its end.
func ids[T any](t *testing.T, h *house, path string, id func(T) string) []string {
	t.Helper()
	var out []string
	for cursor := ""; ; {
		status, body := h.as(registry.Admin).get(path + "&cursor=" + cursor)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, body)
		}
		p := into[dashboard.Page[T]](t, body)
		for _, item := range p.Items {
			out = append(out, id(item))
		}
		if cursor = p.Next; cursor == "" || len(out) > 1000 {
			return out
		}
	}
}

func TestJournalIsListedBackwards(t *testing.T) {
	h := newHouse(t)
	lane := h.journal.Lane(journal.EventLane)
	var want []string
	for n := range 40 {
		payload := fmt.Sprintf(`{"type":"test","n":%d}`, n)
		if n == 7 {
			payload = "garbage\xff"
		}
		if n == 8 {
			payload = strings.Repeat("x", 9000)
		}
		device := []string{"btn-1", "house-1"}[n%2]
		_, err := lane.Append(context.Background(), journal.Message{
			Kind: journal.Publish, Device: device, Client: device, Topic: "wh/v1/" + device + "/event", QoS: 1,
			ReceivedNS: time.Now().UnixNano(), Payload: []byte(payload),
		})
		if err != nil {
			t.Fatal(err)
		}
		if n%2 == 1 && n != 7 {
			want = append(want, payload)
		}
	}
	slices.Reverse(want)
	got := ids(t, h, "/api/v1/journal?device=house-1&limit=6", func(e dashboard.JournalEntry) string { return string(e.Payload) })
	got = slices.DeleteFunc(got, func(p string) bool { return p[0] == '"' })
	if !slices.Equal(got, want) {
		t.Errorf("pages give %v\nwant %v", got, want)
	}
	_, body := h.as(registry.Admin).get("/api/v1/journal?limit=500")
	items := into[dashboard.Page[dashboard.JournalEntry]](t, body).Items
	if len(items) != 40 {
		t.Fatalf("%d entries, want 40 and no ticks", len(items))
	}
	for i, e := range items {
		switch n := 39 - i; n {
		case 7:
			if string(e.Payload) != `"garbage�"` || e.Truncated || string(e.Base64) != "garbage\xff" {
				t.Errorf("entry %d: %s", n, e.Payload)
			}
		case 8:
			if len(e.Payload) != 8192+2 || !e.Truncated {
				t.Errorf("entry %d: %d bytes, truncated %v", n, len(e.Payload), e.Truncated)
			}
		default:
			if string(e.Payload) != fmt.Sprintf(`{"type":"test","n":%d}`, n) || e.QoS != 1 || e.Kind != "publish" || e.At == 0 {
				t.Errorf("entry %d: %+v", n, e)
			}
		}
	}
}

func TestSideLogsAreListedBackwards(t *testing.T) {
	h := newHouse(t)
	for n := range 10 {
		h.journal.Stream("rejects").Add(time.Now().UnixNano(), fmt.Appendf(nil, `{"n":%d}`, n+1))
	}
	h.eventually("the records", func() bool { return h.journal.Stream("rejects").Last() == 10 })
	got := ids(t, h, "/api/v1/journal/rejects?limit=4", func(r dashboard.SideRecord) string { return string(r.Record) })
	if len(got) != 10 || got[0] != `{"n":10}` || got[9] != `{"n":1}` {
		t.Errorf("pages give %v", got)
	}
}

func TestDeadLettersSayWhichWereRedriven(t *testing.T) {
	h := newHouse(t, func(h *house) { h.letters = letters{at: map[uint64]int64{2: 1767323045678}} })
	for n := range 3 {
		h.journal.Stream("deadletter").Add(time.Now().UnixNano(), fmt.Appendf(nil, `{"id":%d}`, n+1))
	}
	h.eventually("the letters", func() bool { return h.journal.Stream("deadletter").Last() == 3 })
	got := ids(t, h, "/api/v1/journal/deadletters?limit=2", func(d dashboard.DeadLetter) string { return fmt.Sprint(d.N, string(d.Record), d.RedrivenAt) })
	if diff := cmp.Diff([]string{`3{"id":3}0`, `2{"id":2}1767323045678`, `1{"id":1}0`}, got); diff != "" {
		t.Error(diff)
	}
}

func TestErrorsOfARedriveAreProblems(t *testing.T) {
	for _, tc := range []struct {
		letters dashboard.DeadLetters
		status  int
		code    string
	}{
		{nil, http.StatusServiceUnavailable, "history_unavailable"},
		{letters{err: ingest.ErrUnavailable}, http.StatusServiceUnavailable, "history_unavailable"},
		{letters{err: fmt.Errorf("dead letter 7: %w", journal.ErrNotFound)}, http.StatusNotFound, "not_found"},
	} {
		h := newHouse(t, func(h *house) { h.letters = tc.letters })
		problem(t, h.as(registry.Maintainer).do(http.MethodPost, "/api/v1/journal/deadletters/7/redrive", nil), tc.status, tc.code)
	}
}

func TestSnapshotHoldsTheOpenOnesAndIsCompressed(t *testing.T) {
	h := newHouse(t)
	h.desk.Raise("I1", 1)
	h.desk.Append(alerts.Transition{Kind: "closed", To: alerts.StateClosed, Incident: streamtest.Incident("I2", 3, alerts.StateClosed)})
	_, body := h.as(registry.Viewer).get("/api/v1/snapshot")
	s := into[dashboard.Snapshot](t, body)
	if len(s.Incidents) != 1 || s.AsOf.Seq != 2 || len(s.Devices) != 2 || len(s.Areas) != 1 || s.ServerMS == 0 {
		t.Errorf("snapshot %s", body)
	}
	for range 20 {
		h.desk.Raise(fmt.Sprint("I", h.desk.Head()), 3)
	}
	res := h.as(registry.Viewer).with("Accept-Encoding", "gzip").do(http.MethodGet, "/api/v1/snapshot", nil)
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("headers %v", res.Header)
	}
}

// What a gateway or a bridge sends for a device is among the device's messages.
func TestJournalOfADeviceBehindOthers(t *testing.T) {
	h := newHouse(t)
	_, err := h.reg.PutDevices(t.Context(), "test", []registry.Device{
		{ID: "gw-9", Kind: "gateway"}, {ID: "bed-9", Model: "milesight-ws101", Address: "24e124535b316056", Gateway: "gw-9"},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	topics := []string{"application/a/device/24e124535b316056/event/up", "wh/v1/gw-9/child/bed-9/event"}
	for n, topic := range append(topics, "application/a/device/0000/event/up", "wh/v1/gw-9/child/bed-8/event") {
		_, err := h.journal.Lane(journal.EventLane).Append(t.Context(), journal.Message{
			Kind: journal.Publish, Device: []string{"bridge", "gw-9"}[n%2], Topic: topic, ReceivedNS: time.Now().UnixNano(), Payload: []byte("{}"),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	got := ids(t, h, "/api/v1/journal?device=bed-9&limit=6", func(e dashboard.JournalEntry) string { return e.Topic })
	if !slices.Equal(got, []string{topics[1], topics[0]}) {
		t.Errorf("the messages of the device are %q", got)
	}
}
