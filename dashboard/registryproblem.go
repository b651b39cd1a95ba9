package dashboard

import (
	"errors"
	"net/http"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// registryProblem maps the errors of the registry, nil for any other.
func registryProblem(err error) *Problem {
	var p *Problem
	var inUse *registry.InUseError
	if fields := invalidFields(err, nil); len(fields) > 0 {
		p = newProblem(http.StatusUnprocessableEntity, codeInvalid, "The request is not valid.")
		for _, f := range fields {
			p = p.with("body."+f.Field, "want "+f.Want)
		}
		return p
	}
	switch {
	case errors.As(err, &inUse):
		return newProblem(http.StatusConflict, codeInUse, "It is still in use: "+inUse.Subject+" by "+inUse.By+".")
	case errors.Is(err, registry.ErrExists):
		return newProblem(http.StatusConflict, codeExists, "There is one of this id already.")
	case errors.Is(err, registry.ErrNotFound):
		return notFound("record")
	case errors.Is(err, registry.ErrKey):
		p = unavailable("The key of the personal data is missing; tell the maintainer.")
		p.cause = err
		return p
	}
	return nil
}

// invalidFields gathers the faulty fields of an error that may be several joined ones.
func invalidFields(err error, found []*registry.InvalidError) []*registry.InvalidError {
	if f, ok := err.(*registry.InvalidError); ok { //nolint:errorlint // each error of the tree is visited by itself
		return append(found, f)
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() error }:
		return invalidFields(e.Unwrap(), found)
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			found = invalidFields(inner, found)
		}
	}
	return found
}

// validPathID refuses an id in a path that nothing can be registered under.
func validPathID(id string) error {
	if !telemetry.ValidID(id) {
		return invalid("path.id", "want 1 to 64 letters, digits, _ or -, beginning with a letter or digit")
	}
	return nil
}
