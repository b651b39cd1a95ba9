package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/alerts"
	"watchhouse/ingest"
	"watchhouse/journal"
)

// Stable codes of problems; programs compare these, never the texts.
const (
	codeUnauthorized         = "unauthorized"
	codeForbidden            = "forbidden"
	codeNotFound             = "not_found"
	codeInvalid              = "invalid"
	codeConflict             = "conflict"
	codeExists               = "exists"
	codeInUse                = "in_use"
	codePreconditionRequired = "precondition_required"
	codeTooMany              = "too_many"
	codeUnavailable          = "unavailable"
	codeHistoryUnavailable   = "history_unavailable"
	codeInternal             = "internal"
)

// Problem is an RFC 9457 problem detail.
type Problem struct { //nolint:errname // RFC 9457 and the API's schema call it so
	Type      string           `json:"type" doc:"Always about:blank: the code says which problem it is."`
	Title     string           `json:"title" doc:"Text of the HTTP status."`
	Status    int              `json:"status"`
	Detail    string           `json:"detail" doc:"What happened and what to do."`
	Code      string           `json:"code" enum:"unauthorized,forbidden,not_found,invalid,conflict,exists,in_use,precondition_required,too_many,unavailable,history_unavailable,internal"`
	RequestID string           `json:"request_id" doc:"Also in the X-Request-Id header and in the hub's log."`
	Errors    []FieldProblem   `json:"errors,omitempty" doc:"The faulty fields."`
	Reason    string           `json:"reason,omitempty" doc:"Only with conflict: the guard that was broken."`
	Current   *alerts.Incident `json:"current,omitempty" doc:"Only with conflict: the incident as it is now."`

	header http.Header
	cause  error // logged, never sent
}

// FieldProblem names a faulty field.
type FieldProblem struct {
	Location string `json:"location" doc:"For example body.priority, query.limit, header.If-Match; of a file, body[3].lat."`
	Message  string `json:"message"`
	Row      int    `json:"row,omitempty" doc:"Only of a file: its row or feature, 1 = the first."`
	Column   string `json:"column,omitempty" doc:"Only of a file: its column or member."`
}

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail}
}

// Error is for logs; the client gets the whole problem.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.cause }

// GetStatus is, like the next two, what huma asks of an error it answers with.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are sent along.
func (p *Problem) GetHeaders() http.Header { return p.header }

func (p *Problem) with(location, message string) *Problem {
	p.Errors = append(p.Errors, FieldProblem{Location: location, Message: message})
	return p
}

func (p *Problem) retryAfter(seconds int) *Problem {
	p.header = http.Header{"Retry-After": {strconv.Itoa(seconds)}}
	return p
}

func unauthorized() *Problem {
	return newProblem(http.StatusUnauthorized, codeUnauthorized, "Sign in first.")
}

func notFound(what string) *Problem {
	return newProblem(http.StatusNotFound, codeNotFound, "There is no such "+what+".")
}

func invalid(location, message string) *Problem {
	return newProblem(http.StatusUnprocessableEntity, codeInvalid, "The request is not valid.").with(location, message)
}

func unavailable(detail string) *Problem {
	return newProblem(http.StatusServiceUnavailable, codeUnavailable, detail).retryAfter(1)
}

// asProblem maps what the packages below return; anything unknown is internal and its text stays in the log.
func asProblem(err error) *Problem {
	var (
		p        *Problem
		conflict *alerts.ConflictError
		field    *alerts.InvalidError
	)
	if p := registryProblem(err); p != nil {
		return p
	}
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &conflict):
		return conflictProblem(conflict)
	case errors.As(err, &field):
		return invalid(location(field.Field), "want "+field.Want)
	case errors.Is(err, alerts.ErrNotFound):
		return notFound("incident")
	case errors.Is(err, journal.ErrNotFound):
		return notFound("record")
	case errors.Is(err, alerts.ErrUndecided):
		p = newProblem(http.StatusInternalServerError, codeInternal, "This could not be decided; a system incident names it. Tell the maintainer.")
	case errors.Is(err, ingest.ErrInvalid):
		return invalid("query", err.Error())
	case errors.Is(err, ingest.ErrNotConfigured):
		p = newProblem(http.StatusServiceUnavailable, codeHistoryUnavailable, "This hub has no time-series database (influxdb.url is not set); the journal keeps everything.")
	case errors.Is(err, ingest.ErrUnavailable):
		p = newProblem(http.StatusServiceUnavailable, codeHistoryUnavailable, "The time-series database does not answer; the journal keeps everything.").retryAfter(10)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled),
		errors.Is(err, journal.ErrClosed), errors.Is(err, journal.ErrConflict):
		p = unavailable("The hub could not store this now; try again.")
	case errors.Is(err, journal.ErrLaneFull):
		p = unavailable("The hub's store is full; tell the maintainer.")
	case errors.Is(err, journal.ErrUnavailable):
		p = unavailable("The hub's store cannot be written now (GET /readyz says why); tell the maintainer.")
	case errors.Is(err, journal.ErrTooLarge):
		p = newProblem(http.StatusRequestEntityTooLarge, codeInvalid, "This is too much for one change: divide it.")
	default:
		p = newProblem(http.StatusInternalServerError, codeInternal, "Something went wrong; tell the maintainer the request id.")
	}
	p.cause = err
	return p
}

// location is where a field of a command came from in the request.
func location(field string) string {
	switch field {
	case "idempotency_key":
		return "header.Idempotency-Key"
	case "if_match":
		return "header.If-Match"
	}
	return "body." + field
}

func conflictProblem(c *alerts.ConflictError) *Problem {
	p := newProblem(http.StatusConflict, codeConflict, "Someone was faster, or the incident is not in a state that allows this.")
	p.Reason, p.Current = c.Reason, c.Current
	return p
}

// fromHuma turns the library's own error into ours. It drops the echoed values: one of them may be a password.
func fromHuma(m *huma.ErrorModel) *Problem {
	p := newProblem(m.Status, codeOf(m.Status), "The request is not valid.")
	if m.Status >= http.StatusInternalServerError {
		p.Detail = "Something went wrong; tell the maintainer the request id."
		return p
	}
	if len(m.Errors) == 0 {
		p.Detail = m.Detail
	}
	for _, d := range m.Errors {
		if d != nil {
			p = p.with(d.Location, d.Message)
		}
	}
	return p
}

func codeOf(status int) string {
	switch {
	case status == http.StatusUnauthorized:
		return codeUnauthorized
	case status == http.StatusForbidden:
		return codeForbidden
	case status == http.StatusNotFound:
		return codeNotFound
	case status == http.StatusConflict:
		return codeConflict
	case status == http.StatusTooManyRequests:
		return codeTooMany
	case status == http.StatusServiceUnavailable:
		return codeUnavailable
	case status >= http.StatusInternalServerError:
		return codeInternal
	}
	return codeInvalid
}

// writeProblem answers outside the routes: middleware, the stream's handshake, unknown paths.
func writeProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	p.RequestID = requestID(r.Context())
	h := w.Header()
	maps.Copy(h, p.header)
	h.Set("Content-Type", "application/problem+json")
	h.Del("Content-Encoding")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client is gone when this fails
}
