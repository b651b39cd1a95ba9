package dashboard_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"watchhouse/dashboard"
)

func TestPage(t *testing.T) {
	h := newHouse(t)
	for _, tc := range []struct {
		path, accept        string
		status              int
		body, kind, caching string
	}{
		{"/", "", 200, "<title>page</title>", "text/html; charset=utf-8", "no-store"},
		{"/incident/I1", "", 200, "<title>page</title>", "text/html; charset=utf-8", "no-store"},
		{"/index.html", "", 200, "<title>page</title>", "text/html; charset=utf-8", "no-store"},
		{"/assets/app-1a2b.js", "", 200, "let a = 1", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/assets/app-1a2b.js", "br, gzip;q=0.9", 200, "gzipped", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/assets/app-1a2b.js", "gzip;q=0", 200, "let a = 1", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"},
		{"/assets/app-0000.js", "", 404, `"code":"not_found"`, "application/problem+json", ""},
		{"/favicon.svg", "", 200, "<svg/>", "image/svg+xml", "no-cache"},
		{"/.keep", "", 200, "<title>page</title>", "text/html; charset=utf-8", "no-store"},
		{"/api/v2/x", "", 404, `"code":"not_found"`, "application/problem+json", "no-store"},
		{"/api/", "", 404, `"code":"not_found"`, "application/problem+json", "no-store"},
	} {
		t.Run(tc.path+" "+tc.accept, func(t *testing.T) {
			c := h.nobody().with("Accept-Encoding", tc.accept)
			res := c.do(http.MethodGet, tc.path, nil)
			body := text(res)
			if res.StatusCode != tc.status || !strings.Contains(body, tc.body) || res.Header.Get("Content-Type") != tc.kind {
				t.Errorf("%d %s %s", res.StatusCode, res.Header.Get("Content-Type"), body)
			}
			if res.Header.Get("Cache-Control") != tc.caching {
				t.Errorf("Cache-Control %q, want %q", res.Header.Get("Cache-Control"), tc.caching)
			}
			if (res.Header.Get("Content-Encoding") == "gzip") != (tc.body == "gzipped") {
				t.Errorf("Content-Encoding %q", res.Header.Get("Content-Encoding"))
			}
		})
	}
	res := h.nobody().do(http.MethodGet, "/favicon.svg", nil)
	if again := h.nobody().with("If-None-Match", res.Header.Get("ETag")).do(http.MethodGet, "/favicon.svg", nil); again.StatusCode != http.StatusNotModified {
		t.Errorf("unchanged file: %d", again.StatusCode)
	}
	if res := h.nobody().do(http.MethodPost, "/", "{}"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST of the page: %d", res.StatusCode)
	}
}

func TestSecurityHeaders(t *testing.T) {
	h := newHouse(t)
	host := strings.TrimPrefix(h.http.URL, "http://")
	res := h.nobody().do(http.MethodGet, "/", nil)
	csp := res.Header.Get("Content-Security-Policy")
	for _, want := range []string{
		"default-src 'none'", "script-src 'self'", "connect-src 'self' ws://" + host + " wss://" + host + ";", "frame-ancestors 'none'", "base-uri 'none'",
	} {
		if !strings.Contains(csp, want) {
			t.Errorf("policy %q lacks %q", csp, want)
		}
	}
	if strings.Contains(csp, "unsafe") {
		t.Errorf("policy %q", csp)
	}
	for _, path := range []string{"/", "/api/v1/me"} {
		res := h.nobody().do(http.MethodGet, path, nil)
		for header, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if res.Header.Get(header) != want {
				t.Errorf("%s: %s %q", path, header, res.Header.Get(header))
			}
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.http.URL+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "x;script-src*"
	evil, err := h.http.Client().Do(req)
	if err == nil {
		evil.Body.Close()
		if strings.Contains(evil.Header.Get("Content-Security-Policy"), "script-src*") {
			t.Error("a Host header adds to the policy")
		}
	}
}

func TestPageThatWasNotBuiltSaysSo(t *testing.T) {
	h := newHouse(t)
	s, err := dashboard.New(h.cfg, dashboard.Deps{
		Journal: h.journal, Registry: h.reg, Alerts: h.desk, Log: discard(), Page: fstest.MapFS{".keep": {}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.http.Config.Handler = s.Handler()
	status, body := h.nobody().get("/")
	if status != http.StatusOK || !strings.Contains(body, "make web") {
		t.Errorf("%d %s", status, body)
	}
}
