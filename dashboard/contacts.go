package dashboard

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/registry"
)

type contactPath struct {
	ID string `path:"id" maxLength:"64"`
}

type putContactInput struct {
	ID   string `path:"id" maxLength:"64"`
	Body ContactFields
}

type contactOutput struct{ Body Contact }

type revealReachOutput struct{ Body RevealedReach }

func (s *Server) contactRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-contacts", method: http.MethodGet, path: "/contacts", may: registry.PermView, summary: "Contacts by id, masked",
	}, s.listContacts)
	handle(s, api, operation{
		id: "get-contact", method: http.MethodGet, path: "/contacts/{id}", may: registry.PermView, summary: "A contact, masked",
		problems: []int{http.StatusNotFound},
	}, func(ctx context.Context, in *contactPath) (*contactOutput, error) {
		c, ok := s.contact(ctx, in.ID)
		if !ok {
			return nil, notFound("contact")
		}
		return &contactOutput{Body: c}, nil
	})
	handle(s, api, operation{
		id: "put-contact", method: http.MethodPut, path: "/contacts/{id}", may: registry.PermDevices, summary: "Add a contact or change all of it",
		problems: []int{http.StatusServiceUnavailable},
	}, s.putContact)
	handle(s, api, operation{
		id: "delete-contact", method: http.MethodDelete, path: "/contacts/{id}", may: registry.PermDevices, summary: "Remove a contact",
		status: http.StatusNoContent, problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, func(ctx context.Context, in *contactPath) (*struct{}, error) {
		if err := s.registry.DeleteContact(ctx, caller(ctx).user.Name, in.ID); err != nil {
			return nil, err
		}
		s.changed(ctx, "delete", "contact/"+in.ID)
		return nil, nil
	})
	handle(s, api, operation{
		id: "reveal-contact", method: http.MethodPost, path: "/contacts/{id}/reveal", may: registry.PermReveal,
		summary: "Name and telephone of a contact in clear; audited", problems: []int{http.StatusNotFound, http.StatusServiceUnavailable},
	}, s.revealContact)
}

func (s *Server) listContacts(ctx context.Context, in *PageParams) (*pageOutput[Contact], error) {
	after, err := in.after()
	if err != nil {
		return nil, err
	}
	found := []Contact{}
	for _, c := range s.registry.View().Contacts() {
		if c.ID > after {
			found = append(found, contactOf(ctx, c))
		}
	}
	return pageByID(found, in.Limit, func(c Contact) string { return c.ID }), nil
}

func (s *Server) contact(ctx context.Context, id string) (Contact, bool) {
	for _, c := range s.registry.View().Contacts() {
		if c.ID == id {
			return contactOf(ctx, c), true
		}
	}
	return Contact{}, false
}

func (s *Server) putContact(ctx context.Context, in *putContactInput) (*contactOutput, error) {
	if err := validPathID(in.ID); err != nil {
		return nil, err
	}
	_, known := s.contact(ctx, in.ID)
	f, reach := in.Body, map[string]registry.Reach{}
	if f.Name != nil || f.Phone != nil {
		reach[in.ID] = registry.Reach{Name: textOf(f.Name), Phone: textOf(f.Phone)}
	}
	c := registry.Contact{ID: in.ID, Duty: f.Duty, Areas: f.Areas, Webhook: f.Webhook}
	if err := s.registry.PutContacts(ctx, caller(ctx).user.Name, []registry.Contact{c}, reach); err != nil {
		return nil, err
	}
	s.changed(ctx, putAction(known), "contact/"+in.ID)
	out := &contactOutput{}
	out.Body, _ = s.contact(ctx, in.ID)
	return out, nil
}

func textOf(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// revealContact opens the fields only after the audit record is on disk, as with a person.
func (s *Server) revealContact(ctx context.Context, in *revealInput) (*revealReachOutput, error) {
	if _, ok := s.contact(ctx, in.ID); !ok {
		return nil, notFound("contact")
	}
	if err := s.auditReveal(ctx, AuditEntry{Object: "contact/" + in.ID}, in.Body); err != nil {
		return nil, err
	}
	reach, err := s.registry.RevealContact(in.ID)
	if err != nil {
		return nil, fmt.Errorf("reveal a contact: %w", err)
	}
	return &revealReachOutput{Body: RevealedReach{Name: reach.Name, Phone: reach.Phone}}, nil
}

// contactOf is a contact as the caller may see it.
func contactOf(ctx context.Context, c registry.Contact) Contact {
	out := Contact{ID: c.ID, Duty: c.Duty, Areas: listOf(c.Areas), MaskedName: c.MaskedName, MaskedPhone: c.MaskedPhone}
	if caller(ctx).user.Role.Can(registry.PermDevices) {
		out.Webhook = c.Webhook
	}
	return out
}
