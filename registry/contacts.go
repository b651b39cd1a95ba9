package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"watchhouse/telemetry"
)

// PutContacts adds or replaces contacts in one change set (all or nothing). reach[id] sets name and telephone; a contact without
// an entry keeps what it has. Errors are *InvalidError, all of them joined.
func (r *Registry) PutContacts(ctx context.Context, actor string, cs []Contact, reach map[string]Reach) error {
	return r.edit(ctx, actor, func(d *draft) error {
		var errs []error
		for _, c := range cs {
			how, given := reach[c.ID]
			if given {
				errs = append(errs, d.putContact(c, &how))
			} else {
				errs = append(errs, d.putContact(c, nil))
			}
		}
		return errors.Join(errs...)
	})
}

// DeleteContact removes a contact. The sealed record stays in the chain, as that of a person does.
func (r *Registry) DeleteContact(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Contacts[id]; !ok {
			return fmt.Errorf("contact %s: %w", id, ErrNotFound)
		}
		d.do(op{Op: opDeleteContact, ID: id})
		return nil
	})
}

// RevealContact opens a contact's sealed fields. The caller audits.
func (r *Registry) RevealContact(id string) (Reach, error) {
	c, ok := r.View().state.Contacts[id]
	if !ok {
		return Reach{}, fmt.Errorf("contact %s: %w", id, ErrNotFound)
	}
	return unseal[Reach](r.keys, contactOwner(id), c.Sealed)
}

// Contact picks who gets the orders of a duty in an area: a contact of that area before one of everywhere, then the first by id.
func (v *View) Contact(duty, area string) (Contact, bool) {
	general := -1
	for i, c := range v.contacts() {
		switch {
		case c.Duty != duty:
		case slices.Contains(c.Areas, area):
			return c, true
		case len(c.Areas) == 0 && general < 0:
			general = i
		}
	}
	if general < 0 {
		return Contact{}, false
	}
	return v.contacts()[general], true
}

// Contacts lists the contacts by id.
func (v *View) Contacts() []Contact { return v.contacts() }

func (v *View) sortContacts() []Contact {
	contacts := make([]Contact, 0, len(v.state.Contacts))
	for _, id := range slices.Sorted(maps.Keys(v.state.Contacts)) {
		record := v.state.Contacts[id]
		c := record.Contact
		if reach, err := unseal[Reach](v.keys, contactOwner(id), record.Sealed); err == nil { // as with Person
			c.MaskedName, c.MaskedPhone = maskName(reach.Name), maskPhone(reach.Phone)
		}
		contacts = append(contacts, c)
	}
	return contacts
}

func (d *draft) putContact(c Contact, reach *Reach) error {
	c.MaskedName, c.MaskedPhone, c.Webhook = "", "", strings.TrimSpace(c.Webhook)
	c.Areas = sortedSet(c.Areas)
	if err := d.checkContact(c); err != nil {
		return err
	}
	box, err := d.reachBox(c.ID, reach)
	if err != nil {
		return err
	}
	d.do(op{Op: opPutContact, Contact: &c, Sealed: box})
	return nil
}

// reachBox seals name and telephone; without any it gives the box that the contact has.
func (d *draft) reachBox(id string, reach *Reach) (*sealed, error) {
	if record, known := d.next.Contacts[id]; known && reach == nil {
		return &record.Sealed, nil
	}
	var fields Reach
	if reach != nil {
		fields = Reach{Name: cleanCell(reach.Name), Phone: tidyPhone(reach.Phone)}
	}
	if err := checkReach(id, fields); err != nil {
		return nil, err
	}
	return d.seal(contactOwner(id), fields)
}

func (d *draft) checkContact(c Contact) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"contact " + excerpt(c.ID), field, want, got}
	}
	switch {
	case !telemetry.ValidID(c.ID):
		return bad("id", wantID, excerpt(c.ID))
	case !slices.Contains(Duties(), c.Duty):
		return bad("duty", strings.Join(Duties(), ", "), excerpt(c.Duty))
	case !validWebhook(c.Webhook):
		return bad("webhook", "an http or https URL of at most 1024 bytes, or nothing", "another text") // it may hold a key
	}
	before := d.view.state.Contacts[c.ID]
	for _, area := range c.Areas {
		switch {
		case !telemetry.ValidID(area):
			return bad("areas", wantID, excerpt(area))
		case !slices.Contains(before.Areas, area) && d.strayArea(area):
			return bad("areas", "registered areas", excerpt(area))
		}
	}
	return nil
}

// checkReach describes what is wrong without repeating it.
func checkReach(id string, r Reach) error {
	bad := func(field, want string, given string) error {
		got := "nothing"
		if given != "" {
			got = "another text"
		}
		return &InvalidError{"contact " + excerpt(id), field, want, got}
	}
	switch {
	case r.Name == "" || !validText(r.Name):
		return bad("name", wantName, r.Name)
	}
	if _, ok := normalPhone(r.Phone); !ok {
		return bad("phone", wantPhone, r.Phone)
	}
	return nil
}

// sortedSet gives each once, in order; nil for none.
func sortedSet(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }

func validWebhook(s string) bool {
	if s == "" {
		return true
	}
	u, err := url.Parse(s)
	return err == nil && len(s) <= 1024 && utf8.ValidString(s) && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}
