package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hub is a scripted server: each connection plays one script.
type hub struct {
	t       *testing.T
	scripts []func(ws *websocket.Conn)
	conns   atomic.Int32
	logins  atomic.Int32
	snap    string
	expire  int32 // this connection attempt (from 1) is refused with 401
}

func (h *hub) start() *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/login", h.login)
	mux.HandleFunc("GET /api/v1/snapshot", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, h.snap) })
	mux.HandleFunc("GET /api/v1/stream", h.stream)
	s := httptest.NewServer(mux)
	h.t.Cleanup(s.Close)
	return s
}

func (h *hub) login(w http.ResponseWriter, r *http.Request) {
	h.logins.Add(1)
	var body struct{ User, Password string }
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil || body.Password != "right" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "wh_session", Value: "s", Path: "/"})
}

func (h *hub) stream(w http.ResponseWriter, r *http.Request) {
	n := h.conns.Add(1)
	if _, err := r.Cookie("wh_session"); err != nil || n == h.expire {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{subprotocol}}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer ws.Close()
	h.scripts[min(int(n), len(h.scripts))-1](ws)
}

// expect reads one client frame and checks type and seq.
func (h *hub) expect(ws *websocket.Conn, typ string, seq uint64) {
	var f clientFrame
	if err := ws.ReadJSON(&f); err != nil || f.T != typ || f.Seq == nil || *f.Seq != seq {
		h.t.Errorf("want %s %d, have %+v %v", typ, seq, f, err)
	}
}

func say(ws *websocket.Conn, text string) { _ = ws.WriteMessage(websocket.TextMessage, []byte(text)) }

// hold keeps the connection until the client leaves.
func hold(ws *websocket.Conn) { _, _, _ = ws.ReadMessage() }

func follow(t *testing.T, url, password string, enough int) ([]uint64, error) {
	t.Helper()
	c, err := New(Config{URL: url, User: "u", Password: password})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var have []uint64
	err = c.Run(ctx, Handler{Batch: func(b Batch) {
		for _, tr := range b.Transitions {
			have = append(have, tr.Seq)
		}
		if len(have) >= enough {
			cancel()
		}
	}})
	return have, err
}

func TestSnapshotThenResumeOverABreakAndANewSession(t *testing.T) {
	h := &hub{t: t, snap: `{"as_of":{"epoch":"E","seq":7},"incidents":[],"devices":[]}`, expire: 2}
	h.scripts = []func(*websocket.Conn){
		func(ws *websocket.Conn) {
			h.expect(ws, "hello", 0)
			say(ws, `{"t":"welcome","epoch":"E","head":7,"resume":"snapshot"}`)
			h.expect(ws, "resume", 7)
			say(ws, `{"t":"b","e":"E","f":8,"l":9,"ev":[{"seq":8},{"seq":9}]}`)
			say(ws, `{"t":"hb","head":9}`)
		},
		nil, // refused: the session is over
		func(ws *websocket.Conn) {
			h.expect(ws, "hello", 9)
			say(ws, `{"t":"welcome","epoch":"E","head":11,"resume":"ok"}`)
			say(ws, `{"t":"b","e":"E","f":10,"l":10,"r":1,"ev":[{"seq":10}]}`)
			say(ws, `{"t":"resync"}`)
			h.expect(ws, "resume", 10)
			say(ws, `{"t":"b","e":"E","f":11,"l":11,"ev":[{"seq":11}]}`)
			hold(ws)
		},
	}
	have, err := follow(t, h.start().URL, "right", 4)
	if err != nil || fmt.Sprint(have) != "[8 9 10 11]" {
		t.Errorf("have %v, %v", have, err)
	}
	if n := h.logins.Load(); n != 2 {
		t.Errorf("signed in %d times, want 2", n)
	}
}

func TestWrongNumbersEndTheRun(t *testing.T) {
	for _, c := range []struct{ name, batch string }{
		{"gap before", `{"t":"b","f":2,"l":2,"ev":[{"seq":2}]}`},
		{"gap inside", `{"t":"b","f":1,"l":3,"ev":[{"seq":1},{"seq":3}]}`},
		{"wrong end", `{"t":"b","f":1,"l":4,"ev":[{"seq":1}]}`},
	} {
		h := &hub{t: t}
		h.scripts = []func(*websocket.Conn){func(ws *websocket.Conn) {
			h.expect(ws, "hello", 0)
			say(ws, `{"t":"welcome","resume":"ok"}`)
			say(ws, c.batch)
			hold(ws)
		}}
		_, err := follow(t, h.start().URL, "right", 99)
		if sequence := (*SequenceError)(nil); !errors.As(err, &sequence) {
			t.Errorf("%s: have %v, want a SequenceError", c.name, err)
		}
	}
}

func TestWrongPasswordEndsTheRun(t *testing.T) {
	h := &hub{t: t}
	if _, err := follow(t, h.start().URL, "wrong", 1); !errors.Is(err, ErrRefused) {
		t.Errorf("have %v, want ErrRefused", err)
	}
}

func TestURLMustBeWhole(t *testing.T) {
	if _, err := New(Config{URL: "localhost"}); err == nil {
		t.Error("want an error for an address without scheme")
	}
}
