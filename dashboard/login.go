package dashboard

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

type loginInput struct {
	Cookie  string `cookie:"wh_session" doc:"A session to replace."`
	Browser string `cookie:"wh_browser" doc:"By which a browser that has signed in before is known."`
	Body    struct {
		User     string `json:"user" minLength:"1" maxLength:"64"`
		Password string `json:"password" minLength:"1" maxLength:"256"`
	}
}

type loginOutput struct {
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      Account
}

type logoutInput struct {
	Cookie string `cookie:"wh_session"`
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

type meOutput struct{ Body Account }

func (s *Server) accountRoutes(api huma.API) {
	handle(s, api, operation{
		id: "login", method: http.MethodPost, path: "/login", may: anyone, summary: "Sign in",
		problems: []int{http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusServiceUnavailable},
	}, s.login)
	handle(s, api, operation{
		id: "logout", method: http.MethodPost, path: "/logout", may: anyone, summary: "Sign out", status: http.StatusNoContent,
	}, s.logout)
	handle(s, api, operation{
		id: "me", method: http.MethodGet, path: "/me", may: anyUser, summary: "Who is signed in",
	}, func(ctx context.Context, _ *struct{}) (*meOutput, error) {
		return &meOutput{Body: s.account(caller(ctx).user)}, nil
	})
}

func (s *Server) login(ctx context.Context, in *loginInput) (*loginOutput, error) {
	number, known := s.registry.KnowsBrowser(in.Body.User, in.Browser)
	a := attempt{address: metaOf(ctx).remote, user: in.Body.User}
	if known {
		a.browser = number
	}
	if wait := s.throttle.begin(a, time.Now()); wait > 0 {
		s.auditFailure(ctx, a)
		return nil, s.throttled(wait)
	}
	u, err := s.registry.Login(ctx, in.Body.User, in.Body.Password, known)
	if err != nil || u.Disabled {
		return nil, s.loginFailed(ctx, a, err)
	}
	s.throttle.end(a, right, time.Now())
	if err := s.audit.add(ctx, AuditEntry{Actor: u.Name, Action: "login"}); err != nil {
		return nil, err
	}
	cookie, err := s.sessions.begin(ctx, in.Cookie, u)
	if err != nil {
		return nil, err
	}
	s.metrics.logins.WithLabelValues("ok").Inc()
	s.cookie(ctx, cookie)
	out := &loginOutput{SetCookie: []http.Cookie{*cookie}, Body: s.account(u)}
	if !known {
		mark := &http.Cookie{Value: s.registry.MarkBrowser(u.Name), MaxAge: int(browserMarkAge.Seconds())}
		s.cookie(ctx, mark)
		mark.Name = browserCookie
		out.SetCookie = append(out.SetCookie, *mark)
	}
	return out, nil
}

// A browser that signs in is remembered for a year, so that its next sign-in does not wait behind strangers.
const (
	browserCookie  = "wh_browser"
	browserMarkAge = 365 * 24 * time.Hour
)

func (s *Server) throttled(wait time.Duration) *Problem {
	s.metrics.logins.WithLabelValues("throttled").Inc()
	return newProblem(http.StatusTooManyRequests, codeTooMany, "Too many failed attempts; wait.").
		retryAfter(int(wait/time.Second) + 1)
}

// loginFailed logs the address only: people type passwords into the name field.
func (s *Server) loginFailed(ctx context.Context, a attempt, err error) error {
	how := untried
	defer func() { s.throttle.end(a, how, time.Now()) }()
	if throttled, ok := errors.AsType[*registry.ThrottledError](err); ok {
		return s.throttled(throttled.RetryAfter)
	}
	if err != nil && !errors.Is(err, registry.ErrUnauthorized) && !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	how = wrong
	s.auditFailure(ctx, a)
	s.metrics.logins.WithLabelValues("failed").Inc()
	s.log.WarnContext(ctx, "sign-in failed", "remote", metaOf(ctx).remote, "request_id", requestID(ctx))
	return newProblem(http.StatusUnauthorized, codeUnauthorized, "The name or the password is wrong.")
}

func (s *Server) logout(ctx context.Context, in *logoutInput) (*logoutOutput, error) {
	gone := &http.Cookie{MaxAge: -1}
	s.cookie(ctx, gone)
	if in.Cookie == "" {
		return &logoutOutput{SetCookie: *gone}, nil
	}
	name, err := s.sessions.nameOf(ctx, in.Cookie)
	if err != nil {
		return nil, err
	}
	if err := s.sessions.end(ctx, in.Cookie); err != nil {
		return nil, err
	}
	s.stream.Recheck()
	if name == "" {
		return &logoutOutput{SetCookie: *gone}, nil
	}
	if err := s.audit.add(ctx, AuditEntry{Actor: name, Action: "logout"}); err != nil {
		return nil, err
	}
	return &logoutOutput{SetCookie: *gone}, nil
}

// cookie fills in what all our cookies share.
func (s *Server) cookie(ctx context.Context, c *http.Cookie) {
	c.Name, c.Path, c.HttpOnly, c.SameSite = cookieName, "/", true, http.SameSiteStrictMode
	c.Secure = s.cfg.SecureCookie || metaOf(ctx).tls
}

func (s *Server) account(u registry.User) Account {
	a := Account{Name: u.Name, Role: string(u.Role), Permissions: []string{}, Secure: !s.insecure}
	for _, p := range u.Role.Permissions() {
		a.Permissions = append(a.Permissions, string(p))
	}
	return a
}
