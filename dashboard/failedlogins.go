package dashboard

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// failedLogins bounds what refused sign-ins leave in the audit: the first of a name and address at once, then one entry a minute with
// their number, and never more than failuresPerMinute in all. What goes unlisted is counted in the next entry.
type failedLogins struct {
	mu       sync.Mutex
	since    map[attempt]*failures
	minute   time.Time
	written  int // in this minute
	unlisted int
}

type failures struct {
	count int
	told  time.Time
}

const (
	failuresPerMinute = 30
	maxFailures       = 4096 // names and addresses remembered
)

// note counts a failure and gives the audit's text, "" when it is not its turn.
func (f *failedLogins) note(a attempt, now time.Time) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now.Sub(f.minute) >= time.Minute {
		f.minute, f.written = now, 0
	}
	known := f.since[a]
	if known == nil {
		if f.since == nil || len(f.since) >= maxFailures {
			f.since = map[attempt]*failures{}
		}
		known = &failures{}
		f.since[a] = known
	}
	known.count++
	if now.Sub(known.told) < time.Minute || f.written >= failuresPerMinute {
		if f.written >= failuresPerMinute {
			f.unlisted++
		}
		return ""
	}
	f.written++
	text := fmt.Sprintf("%d refused", known.count)
	if f.unlisted > 0 {
		text += fmt.Sprintf("; %d more of others", f.unlisted)
	}
	known.count, known.told, f.unlisted = 0, now, 0
	return text
}

// auditFailure keeps that somebody was refused. A name that no user has is not kept: people type passwords into the name field.
func (s *Server) auditFailure(ctx context.Context, a attempt) {
	object := "user"
	if _, exists := s.registry.View().User(a.user); exists {
		object += "/" + a.user
	} else {
		a.user = ""
	}
	reason := s.refusals.note(attempt{address: a.address, user: a.user}, time.Now())
	if reason == "" {
		return
	}
	if err := s.audit.add(ctx, AuditEntry{Action: "login_failed", Object: object, Reason: reason}); err != nil {
		s.log.ErrorContext(ctx, "failed sign-in not audited", "error", err)
	}
}
