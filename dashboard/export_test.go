package dashboard

import (
	"watchhouse/dashboard/stream"

	"context"
	"time"
)

// ExpireSessions makes every session as old as it may get.
func ExpireSessions(s *Server) {
	st := s.sessions.store
	st.mu.Lock()
	defer st.mu.Unlock()
	for token, v := range st.sessions {
		v.Expiry = time.Now().Add(-time.Second)
		st.sessions[token] = v
	}
}

// SweepSessions removes what has expired, as Run does every ten minutes.
func SweepSessions(s *Server) error { return s.sessions.store.sweep(context.Background()) }

// RecheckStreams does at once what Run does every five seconds.
func RecheckStreams(s *Server) { s.stream.Recheck() }

// StreamReady reports whether Run has begun to feed the stream.
func StreamReady(s *Server) bool { return s.stream.Room(stream.Identity{Handles: true}) == nil }
