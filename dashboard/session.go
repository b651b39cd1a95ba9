package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"watchhouse/registry"
)

const (
	cookieName = "wh_session"
	userKey    = "user"
)

// identity is who sent a request: a user by its session or by a program's token.
type identity struct {
	user   registry.User
	cookie string // the session's token; "" for a bearer token
	bearer string
}

// sessions tell who sends a request. A session holds the user's name only: the role is read from the registry each time,
// so a change takes effect with the next request.
type sessions struct {
	manager *scs.SessionManager
	store   *sessionStore
	users   users
}

// users is *registry.Registry.
type users interface {
	View() *registry.View
	Token(token string) (registry.User, error)
}

func newSessions(ctx context.Context, cfg Config, bucket kv, u users) (*sessions, error) {
	store, err := openSessionStore(ctx, bucket, min(time.Minute, cfg.SessionIdle/20))
	if err != nil {
		return nil, err
	}
	// Not scs.New: it starts a goroutine for a store of its own, which cannot be stopped reliably.
	m := &scs.SessionManager{
		Store: store, Codec: jsonCodec{}, Lifetime: cfg.SessionLifetime, IdleTimeout: cfg.SessionIdle, HashTokenInStore: true,
	}
	return &sessions{manager: m, store: store, users: u}, nil
}

// identify reads the bearer token or the cookie of r and, for a session, moves its idle expiry.
func (s *sessions) identify(r *http.Request) (identity, error) {
	if token, ok := bearer(r); ok {
		u, err := s.users.Token(token)
		if err != nil || u.Disabled {
			return identity{}, unauthorized()
		}
		return identity{user: u, bearer: token}, nil
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return identity{}, unauthorized()
	}
	ctx, err := s.manager.Load(r.Context(), c.Value)
	if err != nil {
		return identity{}, fmt.Errorf("load the session: %w", err)
	}
	u, ok := s.users.View().User(s.manager.GetString(ctx, userKey))
	if !ok || u.Disabled {
		return identity{}, unauthorized()
	}
	if _, _, err := s.manager.Commit(ctx); err != nil {
		return identity{}, err
	}
	return identity{user: u, cookie: c.Value}, nil
}

func bearer(r *http.Request) (string, bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), found && strings.EqualFold(scheme, "bearer")
}

// stands reports whether id is still who it was when it was identified, without moving the idle expiry.
func (s *sessions) stands(id identity) bool {
	if id.bearer != "" {
		u, err := s.users.Token(id.bearer)
		return err == nil && !u.Disabled && u.Role == id.user.Role && u.Name == id.user.Name
	}
	ctx, err := s.manager.Load(context.Background(), id.cookie)
	if err != nil || s.manager.GetString(ctx, userKey) != id.user.Name {
		return false
	}
	u, ok := s.users.View().User(id.user.Name)
	return ok && !u.Disabled && u.Role == id.user.Role
}

// begin makes a new session for u and its cookie. The token is always a new one, whatever the browser brought along.
func (s *sessions) begin(ctx context.Context, brought string, u registry.User) (*http.Cookie, error) {
	ctx, err := s.manager.Load(ctx, brought)
	if err != nil {
		return nil, fmt.Errorf("load the session: %w", err)
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return nil, fmt.Errorf("renew the session: %w", err)
	}
	s.manager.Put(ctx, userKey, u.Name)
	token, _, err := s.manager.Commit(ctx)
	if err != nil {
		return nil, err
	}
	return &http.Cookie{Value: token, Expires: s.manager.Deadline(ctx)}, nil
}

// end deletes a session.
func (s *sessions) end(ctx context.Context, token string) error {
	ctx, err := s.manager.Load(ctx, token)
	if err != nil {
		return fmt.Errorf("load the session: %w", err)
	}
	if s.manager.Token(ctx) == "" {
		return nil
	}
	return s.manager.Destroy(ctx)
}

// jsonCodec encodes a session so that equal sessions are equal bytes; gob does not.
type jsonCodec struct{}

type codedSession struct {
	Deadline time.Time      `json:"deadline"`
	Values   map[string]any `json:"values"`
}

func (jsonCodec) Encode(deadline time.Time, values map[string]any) ([]byte, error) {
	return json.Marshal(codedSession{Deadline: deadline, Values: values})
}

func (jsonCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var c codedSession
	err := json.Unmarshal(b, &c)
	if c.Values == nil {
		c.Values = map[string]any{}
	}
	return c.Deadline, c.Values, err
}

// nameOf is the user of a session, "" if there is none.
func (s *sessions) nameOf(ctx context.Context, token string) (string, error) {
	ctx, err := s.manager.Load(ctx, token)
	if err != nil {
		return "", fmt.Errorf("load the session: %w", err)
	}
	return s.manager.GetString(ctx, userKey), nil
}
