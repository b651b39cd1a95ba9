package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"watchhouse/telemetry"
)

// PutPersons adds or replaces people by id, sealed, in one change set.
func (r *Registry) PutPersons(ctx context.Context, actor string, ps map[string]Personal) error {
	return r.edit(ctx, actor, func(d *draft) error {
		var errs []error
		for _, id := range slices.Sorted(maps.Keys(ps)) {
			errs = append(errs, d.putPerson(id, ps[id]))
		}
		return errors.Join(errs...)
	})
}

// DeletePerson removes a person; ErrInUse while a device is theirs. The sealed record stays in the chain, whose hashes it is
// part of: only the loss of its key destroys it.
func (r *Registry) DeletePerson(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Persons[id]; !ok {
			return fmt.Errorf("person %s: %w", id, ErrNotFound)
		}
		for _, device := range d.next.Devices {
			if device.Person == id {
				return &InUseError{"person " + id, "device " + device.ID}
			}
		}
		d.do(op{Op: opDeletePerson, ID: id})
		return nil
	})
}

// Reveal opens a person's sealed fields. The caller audits.
func (r *Registry) Reveal(id string) (Personal, error) {
	box, ok := r.View().state.Persons[id]
	if !ok {
		return Personal{}, fmt.Errorf("person %s: %w", id, ErrNotFound)
	}
	return unseal[Personal](r.keys, personOwner(id), box)
}

func (d *draft) putPerson(id string, p Personal) error {
	p = p.tidy()
	if err := checkPerson(id, p); err != nil {
		return err
	}
	box, err := d.seal(personOwner(id), p)
	if err != nil {
		return err
	}
	d.do(op{Op: opPutPerson, ID: id, Sealed: box})
	return nil
}

const (
	maxPersonal = 4096 // bytes of one field
	maxContacts = 16
)

// checkPerson describes what is wrong without repeating it.
func checkPerson(id string, p Personal) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"person " + excerpt(id), field, want, got}
	}
	switch {
	case !telemetry.ValidID(id):
		return bad("id", wantID, excerpt(id))
	case p.Name == "":
		return bad("name", "a name", "nothing")
	case len(p.Contacts) > maxContacts:
		return bad("contacts", "at most "+strconv.Itoa(maxContacts), strconv.Itoa(len(p.Contacts)))
	}
	texts := []string{p.Name, p.Phone, p.Address, p.Note}
	for _, c := range p.Contacts {
		texts = append(texts, c.Name, c.Relation, c.Phone)
	}
	for _, text := range texts {
		if len(text) > maxPersonal || !utf8.ValidString(text) {
			return bad("fields", "at most "+strconv.Itoa(maxPersonal)+" bytes of UTF-8 each", "another")
		}
		if damaged("", text) {
			return bad("fields", wantUndamaged, "another")
		}
	}
	if _, ok := normalPhone(p.Phone); !ok {
		return bad("phone", wantPhone, "another text")
	}
	for _, c := range p.Contacts {
		if _, ok := normalPhone(c.Phone); !ok {
			return bad("contacts", wantPhone, "another text")
		}
	}
	return nil
}

// tidy removes what nobody sees, and gives telephone numbers one form.
func (p Personal) tidy() Personal {
	p.Name, p.Phone, p.Address, p.Note = cleanCell(p.Name), tidyPhone(p.Phone), cleanCell(p.Address), cleanCell(p.Note)
	p.Contacts = slices.Clone(p.Contacts)
	for i, c := range p.Contacts {
		p.Contacts[i] = Relative{cleanCell(c.Name), cleanCell(c.Relation), tidyPhone(c.Phone)}
	}
	return p
}
