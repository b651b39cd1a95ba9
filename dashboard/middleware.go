package dashboard

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// meta is what a handler needs of the connection.
type meta struct {
	id, remote string
	tls        bool
}

type metaKey struct{}

func metaOf(ctx context.Context) meta {
	m, _ := ctx.Value(metaKey{}).(meta)
	return m
}

func requestID(ctx context.Context) string { return metaOf(ctx).id }

// chain puts what every request passes around next, outermost first.
func (s *Server) chain(next http.Handler) http.Handler {
	csrf := http.NewCrossOriginProtection()
	for _, o := range s.cfg.TrustedOrigins {
		if err := csrf.AddTrustedOrigin(o); err != nil {
			s.log.Error("trusted origin ignored", "origin", o, "error", err) // Validate lets none of these through
		}
	}
	csrf.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, newProblem(http.StatusForbidden, codeForbidden, "A request that changes something must come from the hub's own page."))
	}))
	return s.identified(s.guarded(csrf.Handler(next)))
}

// identified gives the request an id, the caller's if it is a plain one.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m := meta{id: r.Header.Get("X-Request-Id"), remote: r.RemoteAddr, tls: r.TLS != nil}
		if !plainID(m.id) {
			m.id = ulid.Make().String()
		}
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			m.remote = host
		}
		h := w.Header()
		h.Set("X-Request-Id", m.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
			h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), metaKey{}, m)))
	})
}

func plainID(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// guarded counts requests and turns a panic of a handler into a problem: one broken route must not end the hub.
func (s *Server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began, rec := time.Now(), &recorder{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // a panic's value, which net/http compares the same way
				s.log.ErrorContext(r.Context(), "handler panicked", "request_id", requestID(r.Context()), "panic", v, "stack", string(debug.Stack()))
				if rec.status == 0 {
					writeProblem(rec, r, newProblem(http.StatusInternalServerError, codeInternal, "Something went wrong; tell the maintainer the request id."))
				}
			}
			s.metrics.requests.WithLabelValues(strconv.Itoa(max(rec.status, http.StatusOK))).Inc()
			s.metrics.seconds.Observe(time.Since(began).Seconds())
		}()
		next.ServeHTTP(rec, r)
	})
}

// recorder remembers the status. Unwrap lets deadlines reach the connection, Hijack the WebSocket handshake.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (r *recorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(r.ResponseWriter).Hijack()
}
