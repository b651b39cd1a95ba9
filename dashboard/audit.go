package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/dashboard/stream"
	"watchhouse/journal"
	"watchhouse/registry"
)

// auditLog is the chain "audit" in life.db: sign-ins and sign-outs, reveals of personal data, and who saw an incident
// first. A sign-in and a reveal happen only after their record is on disk; a sign-out never waits for it.
type auditLog struct {
	chain *journal.Chain
	mu    sync.Mutex // the chain has one writer
}

// add completes e from the request and appends it.
func (a *auditLog) add(ctx context.Context, e AuditEntry) error {
	m := metaOf(ctx)
	e.At, e.Remote, e.RequestID = time.Now().UnixMilli(), m.remote, m.id
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("encode an audit record: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	last, err := a.chain.Last(ctx)
	if err != nil {
		return fmt.Errorf("read the audit chain: %w", err)
	}
	if _, err := a.chain.Append(ctx, last, body); err != nil {
		return fmt.Errorf("append to the audit chain: %w", err)
	}
	return nil
}

// seen is the stream's keeper of who saw what first.
func (a *auditLog) seen(ctx context.Context, records []stream.SeenRecord) error {
	e := AuditEntry{Action: "seen", Seen: make([]Seen, len(records))}
	for i, r := range records {
		e.Seen[i] = Seen{Incident: r.Incident, Actor: r.Actor, Seq: r.Seq, At: r.At}
	}
	return a.add(ctx, e)
}

// list returns up to limit records before number before (0 = the end), newest first, and where the next page begins.
func (a *auditLog) list(ctx context.Context, before uint64, limit int) ([]AuditEntry, uint64, error) {
	if before == 0 {
		last, err := a.chain.Last(ctx)
		if err != nil {
			return nil, 0, fmt.Errorf("read the audit chain: %w", err)
		}
		before = last + 1
	}
	first := max(1, before-min(before, uint64(limit)))
	if first >= before {
		return []AuditEntry{}, 0, nil
	}
	steps, err := a.chain.Read(ctx, first, int(before-first))
	if err != nil && !errors.Is(err, journal.ErrNotFound) {
		return nil, 0, fmt.Errorf("read the audit chain: %w", err)
	}
	out := make([]AuditEntry, 0, len(steps))
	for _, step := range slices.Backward(steps) {
		var e AuditEntry
		if err := json.Unmarshal(step.Body, &e); err != nil {
			return nil, 0, fmt.Errorf("decode audit record %d: %w", step.N, err)
		}
		e.N = step.N
		out = append(out, e)
	}
	if first == 1 {
		first = 0
	}
	return out, first, nil
}

func (s *Server) auditRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-audit", method: http.MethodGet, path: "/audit", may: registry.PermUsers,
		summary: "Sign-ins, reveals of personal data and first sights, newest first",
	}, func(ctx context.Context, in *PageParams) (*pageOutput[AuditEntry], error) {
		before, err := parseNumberCursor(in.Cursor)
		if err != nil {
			return nil, err
		}
		items, next, err := s.audit.list(ctx, before, in.Limit)
		if err != nil {
			return nil, err
		}
		return page(items, numberCursor(next)), nil
	})
}
