package dashboard

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

type personPath struct {
	ID string `path:"id" maxLength:"64"`
}

type personOutput struct{ Body MaskedPerson }

type revealInput struct {
	ID   string        `path:"id" maxLength:"64"`
	Body *RevealReason `required:"false"`
}

type revealOutput struct{ Body RevealedPerson }

type usersOutput struct{ Body Page[ConsoleUser] }

func (s *Server) peopleRoutes(api huma.API) {
	handle(s, api, operation{
		id: "get-person", method: http.MethodGet, path: "/people/{id}", may: registry.PermView,
		summary: "A person, masked", problems: []int{http.StatusNotFound},
	}, func(_ context.Context, in *personPath) (*personOutput, error) {
		p, ok := s.registry.View().Person(in.ID)
		if !ok {
			return nil, notFound("person")
		}
		return &personOutput{Body: MaskedPerson{ID: p.ID, MaskedName: p.MaskedName, MaskedPhone: p.MaskedPhone}}, nil
	})
	handle(s, api, operation{
		id: "reveal-person", method: http.MethodPost, path: "/people/{id}/reveal", may: registry.PermReveal,
		summary: "A person in clear; audited", problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.reveal)
	handle(s, api, operation{
		id: "list-users", method: http.MethodGet, path: "/users", may: registry.PermUsers, summary: "Users",
	}, func(context.Context, *struct{}) (*usersOutput, error) {
		out := &usersOutput{Body: Page[ConsoleUser]{Items: []ConsoleUser{}}}
		for _, u := range s.registry.View().Users() {
			out.Body.Items = append(out.Body.Items, ConsoleUser{Name: u.Name, Role: string(u.Role), House: u.House, Disabled: u.Disabled})
		}
		return out, nil
	})
}

// reveal opens the fields only after the audit record is on disk: what can not be audited is not shown.
func (s *Server) reveal(ctx context.Context, in *revealInput) (*revealOutput, error) {
	if _, ok := s.registry.View().Person(in.ID); !ok {
		return nil, notFound("person")
	}
	if err := s.auditReveal(ctx, AuditEntry{Person: in.ID}, in.Body); err != nil {
		return nil, err
	}
	personal, err := s.registry.Reveal(in.ID)
	if err != nil {
		return nil, fmt.Errorf("reveal a person: %w", err)
	}
	out := &revealOutput{Body: RevealedPerson{
		Name: personal.Name, Phone: personal.Phone, Address: personal.Address, Note: personal.Note, Contacts: []RevealedContact{},
	}}
	for _, c := range personal.Contacts {
		out.Body.Contacts = append(out.Body.Contacts, RevealedContact{Name: c.Name, Relation: c.Relation, Phone: c.Phone})
	}
	return out, nil
}

// auditReveal records who reveals what, and why. What can not be audited is not shown.
func (s *Server) auditReveal(ctx context.Context, e AuditEntry, why *RevealReason) error {
	e.Actor, e.Action = caller(ctx).user.Name, "reveal"
	if why != nil {
		e.Incident, e.Reason = why.Incident, why.Reason
	}
	if err := s.audit.add(ctx, e); err != nil {
		p := unavailable("The reveal could not be audited, so nothing is shown; try again.")
		p.cause = err
		return p
	}
	return nil
}
