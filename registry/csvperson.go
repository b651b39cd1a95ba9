package registry

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// importedPerson is a person as the file has them, and the row that says so.
type importedPerson struct {
	line     int
	personal Personal
}

// person reads the person_ columns of a row. They change a registered person field by field; the rows of several devices of
// one person must agree.
func (im *importer) person(row csvRow, id string) {
	if !hasPersonal(row) {
		return
	}
	if id == "" {
		im.file.fault(row.line, colPerson, "the id of the person named in this row", "nothing")
		return
	}
	p, err := im.registered(id)
	if err != nil {
		im.file.fault(row.line, colPerson, "a person whose record opens", err.Error())
		return
	}
	fillPersonal(row, &p)
	p = p.tidy()
	if other, twice := im.people[id]; twice && !reflect.DeepEqual(other.personal, p) {
		im.file.fault(row.line, colPerson, "the same personal fields as in row "+strconv.Itoa(other.line), "others")
		return
	}
	im.people[id] = importedPerson{row.line, p}
	if invalid, ok := errors.AsType[*InvalidError](checkPerson(id, p)); ok {
		im.file.fault(row.line, "person_"+invalid.Field, invalid.Want, invalid.Got)
	}
}

// registered gives the person as they are, an empty one when new.
func (im *importer) registered(id string) (Personal, error) {
	box, known := im.draft.view.state.Persons[id]
	if !known {
		return Personal{}, nil
	}
	return unseal[Personal](im.draft.view.keys, personOwner(id), box)
}

func hasPersonal(row csvRow) bool {
	for column, cell := range row.cells {
		if column != colSecret && secretColumn(column) && cell != "" {
			return true
		}
	}
	return false
}

// fillPersonal takes over the columns that the file has. Telephone numbers often begin with +, hence the guard.
func fillPersonal(row csvRow, p *Personal) {
	for column, field := range map[string]*string{
		colPersonName: &p.Name, colPersonPhone: &p.Phone, colPersonAddress: &p.Address, colPersonNote: &p.Note,
	} {
		if cell, ok := row.cell(column); ok {
			*field = unguard(cell)
		}
	}
}

// sealPeople adds the people who are new or changed.
func (im *importer) sealPeople() error {
	if len(im.file.faults) > 0 {
		return nil // nothing will be written: do not make a key for it
	}
	for _, id := range slices.Sorted(maps.Keys(im.people)) {
		p := im.people[id].personal
		if before, err := im.registered(id); err == nil && reflect.DeepEqual(before, p) {
			continue
		}
		if err := im.draft.putPerson(id, p); err != nil {
			return fmt.Errorf("person %s: %w", id, err)
		}
	}
	return nil
}
