package dashboard

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"watchhouse/ingest"
	"watchhouse/registry"
)

// anyUser as a permission means: signed in, whatever the role. anyone means: nobody need be signed in.
const (
	anyUser registry.Permission = "-"
	anyone  registry.Permission = ""
)

// bodyTimeout ends a body that trickles in. It also ends the request's context, so it is longer than a commit may take.
const bodyTimeout = 15 * time.Second

// operation is one route of the API.
type operation struct {
	id, method, path, summary string
	may                       registry.Permission
	status                    int   // of success; 0 = 200
	problems                  []int // besides 401, 403, 422 and 500
	maxBody                   int64 // bytes; 0 = as configured
}

// handle registers a route: authentication and permission first, then the handler, then its error as a problem.
func handle[I, O any](s *Server, api huma.API, o operation, h func(context.Context, *I) (*O, error)) {
	op := huma.Operation{
		OperationID: o.id, Method: o.method, Path: apiPrefix + o.path, Summary: o.summary,
		DefaultStatus: o.status, MaxBodyBytes: cmp.Or(o.maxBody, s.cfg.MaxBodyBytes), BodyReadTimeout: bodyTimeout,
	}
	statuses := append([]int{http.StatusUnprocessableEntity, http.StatusInternalServerError}, o.problems...)
	if o.method == http.MethodPost || o.method == http.MethodPut {
		statuses = append(statuses, http.StatusBadRequest, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if o.may == anyone {
		op.Security = []map[string][]string{}
	} else {
		statuses = append(statuses, http.StatusUnauthorized, http.StatusForbidden)
		op.Security = []map[string][]string{{"session": {}}, {"token": {}}}
		op.Middlewares = huma.Middlewares{s.require(o.may)}
		op.Description = "Needs the permission " + string(o.may) + "."
		if o.may == anyUser {
			op.Description = "Needs a session."
		}
	}
	op.Responses = problemResponses(api, statuses...)
	huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := h(ctx, in)
		if err != nil {
			return nil, s.failed(ctx, o.id, err)
		}
		return out, nil
	})
}

// failed is the problem of an error; what the client can not mend is logged here, once.
func (s *Server) failed(ctx context.Context, operation string, err error) error {
	p := asProblem(err)
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, ingest.ErrNotConfigured) { // that is a choice, not a fault
		s.log.ErrorContext(ctx, "request failed", "operation", operation, "code", p.Code, "request_id", requestID(ctx), "error", err)
	}
	return p
}

// require admits only who is signed in with a role that may.
func (s *Server) require(may registry.Permission) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		id, p := s.admit(r, may)
		if p != nil {
			writeProblem(w, r, p)
			return
		}
		next(huma.WithValue(ctx, identityKey{}, id))
	}
}

// admit tells who sends r and whether the role may, or the problem to answer.
func (s *Server) admit(r *http.Request, may registry.Permission) (identity, *Problem) {
	id, err := s.sessions.identify(r)
	if err != nil {
		return identity{}, asProblem(err)
	}
	if may != anyUser && !id.user.Role.Can(may) {
		return identity{}, newProblem(http.StatusForbidden, codeForbidden, "Your role may not do this.")
	}
	return id, nil
}

type identityKey struct{}

// caller is who sent the request; only routes behind require may ask.
func caller(ctx context.Context) identity {
	id, _ := ctx.Value(identityKey{}).(identity)
	return id
}

// noSuchRoute answers what no route matches: 405 with the methods that this path knows, else 404.
func noSuchRoute(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	allowed := []string{}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := mux.Handler(other); strings.HasPrefix(pattern, method+" ") {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		writeProblem(w, r, newProblem(http.StatusNotFound, codeNotFound, "There is no such path."))
		return
	}
	methods := strings.Join(allowed, ", ")
	w.Header().Set("Allow", methods)
	writeProblem(w, r, newProblem(http.StatusMethodNotAllowed, codeInvalid, "This path takes "+methods+" only."))
}
