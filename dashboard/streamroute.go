package dashboard

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/websocket"

	"watchhouse/dashboard/stream"
	"watchhouse/registry"
)

// serveStream is the WebSocket handshake: session or token, permission, origin, subprotocol, room; then the stream.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	id, p := s.admit(r, registry.PermView)
	switch {
	case p != nil:
	case !s.ownOrigin(r):
		p = newProblem(http.StatusForbidden, codeForbidden, "A stream must be opened by the hub's own page.")
	case !websocket.IsWebSocketUpgrade(r):
		p = newProblem(http.StatusUpgradeRequired, codeInvalid, "This path speaks WebSocket.")
	case !slices.Contains(websocket.Subprotocols(r), stream.Subprotocol):
		p = newProblem(http.StatusBadRequest, codeInvalid, "The subprotocol is missing.").
			with("header.Sec-WebSocket-Protocol", "want "+stream.Subprotocol)
	}
	who := stream.Identity{
		Name: id.user.Name, Role: string(id.user.Role), Handles: id.user.Role.Can(registry.PermHandle),
		Valid: func() bool { return s.sessions.stands(id) },
	}
	if p == nil {
		p = s.noRoom(r, who)
	}
	if p != nil {
		writeProblem(w, r, p)
		return
	}
	s.stream.Serve(w, r, who)
}

// noRoom says why a console finds no place, nil when it does.
func (s *Server) noRoom(r *http.Request, who stream.Identity) *Problem {
	err := s.stream.Room(who)
	if err == nil {
		return nil
	}
	s.log.WarnContext(r.Context(), "console refused", "user", who.Name, "role", who.Role, "error", err)
	if errors.Is(err, stream.ErrTooMany) {
		return newProblem(http.StatusTooManyRequests, codeTooMany, "This user has too many consoles open; close one.").retryAfter(5)
	}
	return unavailable("Too many consoles are open, or the hub is stopping.").retryAfter(5)
}

// ownOrigin: a browser always names the origin of a WebSocket; programs do not.
func (s *Server) ownOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || slices.Contains(s.cfg.TrustedOrigins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, r.Host) && (r.TLS == nil || u.Scheme == "https")
}
