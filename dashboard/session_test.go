package dashboard_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"watchhouse/dashboard"
	"watchhouse/registry"
)

// signIn returns the session cookie of a new sign-in.
func (c caller) signIn() *http.Cookie {
	c.h.t.Helper()
	if _, known := c.h.reg.View().User("root"); !known {
		c.h.root()
	}
	res := c.do(http.MethodPost, "/api/v1/login", map[string]string{"user": "root", "password": password})
	if res.StatusCode != http.StatusOK {
		c.h.t.Fatalf("sign-in: %d %s", res.StatusCode, text(res))
	}
	for _, k := range res.Cookies() {
		if k.Name == "wh_session" {
			return k
		}
	}
	c.h.t.Fatal("no session cookie")
	return nil
}

func (h *house) session(k *http.Cookie) caller {
	return h.nobody().with("Cookie", k.Name+"="+k.Value)
}

func TestSignInAndOut(t *testing.T) {
	h := newHouse(t)
	h.root()
	res := h.nobody().do(http.MethodPost, "/api/v1/login", map[string]string{"user": "root", "password": password})
	body := text(res)
	if a := into[dashboard.Account](t, body); a.Name != "root" || a.Role != "admin" || !slices.Contains(a.Permissions, "users") {
		t.Errorf("account %s", body)
	}
	k := h.nobody().signIn()
	if !k.HttpOnly || k.SameSite != http.SameSiteStrictMode || k.Path != "/" || k.Secure || k.Expires.Before(time.Now().Add(23*time.Hour)) {
		t.Errorf("cookie %+v", k)
	}
	if status, me := h.session(k).get("/api/v1/me"); status != http.StatusOK || me != body {
		t.Errorf("me: %d %s", status, me)
	}
	res = h.session(k).do(http.MethodPost, "/api/v1/logout", nil)
	if res.StatusCode != http.StatusNoContent || !strings.Contains(res.Header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("logout: %d %v", res.StatusCode, res.Header)
	}
	problem(t, h.session(k).do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
	if status, _ := h.session(k).send(http.MethodPost, "/api/v1/logout", nil); status != http.StatusNoContent {
		t.Errorf("second logout: %d", status)
	}
}

func TestSecureCookieBehindAProxy(t *testing.T) {
	h := newHouse(t, func(h *house) { h.cfg.SecureCookie = true })
	if k := h.nobody().signIn(); !k.Secure {
		t.Error("the cookie may travel in clear")
	}
}

func TestSessionSurvivesARestart(t *testing.T) {
	h := newHouse(t)
	kept, ended := h.nobody().signIn(), h.nobody().signIn()
	h.session(ended).send(http.MethodPost, "/api/v1/logout", nil)
	h.restart()
	if status, body := h.session(kept).get("/api/v1/me"); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	problem(t, h.session(ended).do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
}

func TestSessionTokenIsNotOnDisk(t *testing.T) {
	h := newHouse(t)
	k := h.nobody().signIn()
	keys, err := h.journal.KV("sessions").Keys(context.Background())
	if err != nil || len(keys) != 1 || keys[0] == k.Value {
		t.Errorf("keys %v, %v: want one hash", keys, err)
	}
}

func TestSignInReplacesTheSessionItFinds(t *testing.T) {
	h := newHouse(t)
	planted := h.nobody().signIn()
	fresh := h.session(planted).signIn()
	if fresh.Value == planted.Value {
		t.Fatal("the token that was brought along is kept: a planted one would be signed in")
	}
	problem(t, h.session(planted).do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
	made := h.nobody().with("Cookie", "wh_session=made-up-by-someone-else").signIn()
	if made.Value == "made-up-by-someone-else" {
		t.Error("a made-up token was accepted")
	}
}

func TestSessionEndsWhenIdleAndInTheEnd(t *testing.T) {
	for name, adjust := range map[string]func(*house){
		"idle":     func(h *house) { h.cfg.SessionIdle = time.Minute },
		"lifetime": func(h *house) { h.cfg.SessionLifetime, h.cfg.SessionIdle = time.Minute, time.Minute },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, adjust)
			k := h.nobody().signIn()
			if left := time.Until(k.Expires); name == "lifetime" && left > time.Minute {
				t.Errorf("the cookie lives for %v", left)
			}
			// What an hour away does is the clock's; here the store is told.
			dashboard.ExpireSessions(h.server)
			problem(t, h.session(k).do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
			if err := dashboard.SweepSessions(h.server); err != nil {
				t.Fatal(err)
			}
			if keys, err := h.journal.KV("sessions").Keys(context.Background()); err != nil || len(keys) != 0 {
				t.Errorf("left on disk: %v, %v", keys, err)
			}
		})
	}
}

func TestChangedRoleAndDisabledUserTakeEffectAtOnce(t *testing.T) {
	h := newHouse(t)
	k := h.nobody().signIn()
	viewer := h.as(registry.Viewer)
	h.as(registry.Admin) // another one must be left
	h.user(registry.User{Name: "root", Role: registry.Viewer}, "")
	problem(t, h.session(k).do(http.MethodGet, "/api/v1/users", nil), http.StatusForbidden, "forbidden")
	h.user(registry.User{Name: "root", Role: registry.Viewer, Disabled: true}, "")
	problem(t, h.session(k).do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
	h.user(registry.User{Name: "viewer", Role: registry.Viewer, Disabled: true}, "")
	problem(t, viewer.do(http.MethodGet, "/api/v1/me", nil), http.StatusUnauthorized, "unauthorized")
}

func TestGuessingIsSlowedDownAndNothingOfItIsLogged(t *testing.T) {
	h := newHouse(t)
	h.root()
	try := func(user, pass string) *http.Response {
		return h.nobody().do(http.MethodPost, "/api/v1/login", map[string]string{"user": user, "password": pass})
	}
	var last *http.Response
	for range 8 {
		if last = try("root", "hunter2-guess"); last.StatusCode == http.StatusTooManyRequests {
			break
		}
		problem(t, last, http.StatusUnauthorized, "unauthorized")
	}
	problem(t, last, http.StatusTooManyRequests, "too_many")
	if last.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	// The right password waits as well, else the lock would be an oracle.
	problem(t, try("root", password), http.StatusTooManyRequests, "too_many")
	problem(t, try("my-password-typed-here", "x"), http.StatusUnauthorized, "unauthorized")
	for _, secret := range []string{"hunter2-guess", password, "my-password-typed-here"} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if !strings.Contains(h.log.String(), "sign-in failed") {
		t.Error("failures are not logged at all")
	}
}

func TestAFaultyLoginDoesNotEchoThePassword(t *testing.T) {
	h := newHouse(t)
	for _, body := range []any{
		`{"user":"root","password":"hunter2-guess"`,
		`{"user":"root","password":"hunter2-guess","x":1}`,
		`{"user":"","password":"hunter2-guess"}`,
		map[string]any{"user": "root", "password": strings.Repeat("hunter2-guess", 50)},
	} {
		res := h.nobody().do(http.MethodPost, "/api/v1/login", body)
		answer := text(res)
		if res.StatusCode < 400 || res.StatusCode >= 500 || strings.Contains(answer, "hunter2") {
			t.Errorf("%d %s", res.StatusCode, answer)
		}
	}
	if strings.Contains(h.log.String(), "hunter2") {
		t.Error("the log holds the password")
	}
}

func TestRequestsOfOtherSitesAreRefused(t *testing.T) {
	h := newHouse(t, func(h *house) { h.cfg.TrustedOrigins = []string{"https://wall.example"} })
	k := h.nobody().signIn()
	for _, tc := range []struct {
		name   string
		header []string
		status int
	}{
		{"another site", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, 403},
		{"another site, old browser", []string{"Origin", "https://evil.example"}, 403},
		{"a sibling", []string{"Sec-Fetch-Site", "same-site", "Origin", "https://evil.hub.example"}, 403},
		{"our page", []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://hub"}, 404},
		{"a trusted page", []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://wall.example"}, 404},
		{"a program", nil, 404},
	} {
		t.Run(tc.name, func(t *testing.T) {
			h.desk.answer(errorResult())
			res := h.session(k).with(tc.header...).do(http.MethodPost, "/api/v1/incidents/I9/acknowledge", map[string]any{})
			code := "not_found"
			if tc.status == 403 {
				code = "forbidden"
			}
			problem(t, res, tc.status, code)
			if res := h.session(k).with(tc.header...).do(http.MethodGet, "/api/v1/me", nil); res.StatusCode != 200 {
				t.Errorf("reading: %d", res.StatusCode)
			}
		})
	}
}

func TestRequestIDIsKeptIfItIsPlain(t *testing.T) {
	h := newHouse(t)
	for given, kept := range map[string]bool{"trace-1": true, "two words": false, strings.Repeat("a", 65): false} {
		res := h.nobody().with("X-Request-Id", given).do(http.MethodGet, "/api/v1/me", nil)
		if got := res.Header.Get("X-Request-Id"); (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
}

func TestAuditKeepsWhoSawWhat(t *testing.T) {
	h := newHouse(t)
	h.nobody().signIn()
	h.as(registry.Operator).send(http.MethodPost, "/api/v1/people/p-1/reveal", map[string]any{"incident": "I1", "reason": "call back"})
	h.as(registry.Viewer).send(http.MethodPost, "/api/v1/people/p-1/reveal", nil) // refused: no record
	h.restart()
	_, body := h.as(registry.Admin).get("/api/v1/audit")
	list := into[dashboard.Page[dashboard.AuditEntry]](t, body).Items
	if len(list) != 2 {
		t.Fatalf("audit %s", body)
	}
	r := list[0]
	if r.Action != "reveal" || r.Actor != "operator" || r.Person != "p-1" || r.Incident != "I1" || r.Reason != "call back" ||
		r.At == 0 || r.RequestID == "" || r.Remote == "" || r.N != 2 {
		t.Errorf("record %+v", r)
	}
	if list[1].Action != "login" || list[1].Actor != "root" {
		t.Errorf("record %+v", list[1])
	}
	for _, secret := range []string{"王桂芳", "13812341234"} {
		if strings.Contains(body, secret) {
			t.Error("the audit holds personal data")
		}
	}
	got := ids(t, h, "/api/v1/audit?limit=1", func(e dashboard.AuditEntry) string { return e.Action })
	if !slices.Equal(got, []string{"reveal", "login"}) {
		t.Errorf("pages give %v", got)
	}
}

func TestNothingIsRevealedUnaudited(t *testing.T) {
	h := newHouse(t)
	operator := h.as(registry.Operator)
	h.broken = true
	if err := h.journal.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	res := operator.do(http.MethodPost, "/api/v1/people/p-1/reveal", nil)
	problem(t, res, http.StatusServiceUnavailable, "unavailable")
}

// A browser that has signed in gets in, whatever strangers behind the same address did to the name; and what they did is in the audit.
func TestAKnownBrowserGetsInWhileStrangersGuess(t *testing.T) {
	h := newHouse(t)
	h.root()
	login := func(c caller, pass string) *http.Response {
		return c.do(http.MethodPost, "/api/v1/login", map[string]string{"user": "root", "password": pass})
	}
	mark := ""
	for _, c := range login(h.nobody(), password).Cookies() {
		if c.Name == "wh_browser" {
			mark = c.Value
			if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge <= 0 {
				t.Errorf("cookie %+v", c)
			}
		}
	}
	for range 40 {
		login(h.nobody(), "a wrong guess")
	}
	problem(t, login(h.nobody(), password), http.StatusTooManyRequests, "too_many")
	res := login(h.nobody().with("Cookie", "wh_browser="+mark), password)
	if text(res); res.StatusCode != http.StatusOK {
		t.Errorf("a known browser: status %d", res.StatusCode)
	}
	for _, c := range res.Cookies() {
		if c.Name == "wh_browser" {
			t.Error("a known browser is marked anew")
		}
	}
	_, audit := h.as(registry.Admin).get("/api/v1/audit?limit=100")
	if n := strings.Count(audit, `"login_failed"`); n != 1 || !strings.Contains(audit, "user/root") {
		t.Errorf("%d entries of failures in the audit, want one of this minute: %s", n, audit)
	}
}
