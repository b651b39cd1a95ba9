package registry

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// importedPerson stands for a person as the file has them: the row that says so first, and the sum of what it says.
type importedPerson struct {
	line int
	sum  verifier
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
	other, twice := im.people[id]
	switch sum := sumPersonal(p); {
	case twice && other.sum != sum:
		im.file.fault(row.line, colPerson, "the same personal fields as in row "+strconv.Itoa(other.line), "others")
		return
	case !twice:
		im.people[strings.Clone(id)] = importedPerson{row.line, sum}
	}
	if invalid, ok := errors.AsType[*InvalidError](checkPerson(id, p)); ok {
		im.file.fault(row.line, "person_"+invalid.Field, invalid.Want, invalid.Got)
	}
}

// sumPersonal stands for personal fields without holding them.
func sumPersonal(p Personal) verifier {
	text, _ := json.Marshal(p) // texts only
	return sha256.Sum256(text)
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
	for _, column := range [...]string{colPersonName, colPersonPhone, colPersonAddress, colPersonNote} {
		if cell, _ := row.cell(column); cell != "" {
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

// writePerson seals the person whom a row names first, if they are new or changed.
func (im *importer) writePerson(row csvRow, id string, do func(op) error) error {
	if !hasPersonal(row) || im.people[id].line != row.line {
		return nil
	}
	before, err := im.registered(id)
	if err != nil {
		return err
	}
	p := before
	fillPersonal(row, &p)
	if p = p.tidy(); reflect.DeepEqual(before, p) {
		return nil
	}
	box, err := im.draft.seal(personOwner(id), p)
	if err != nil {
		return fmt.Errorf("person %s: %w", id, err)
	}
	return do(op{Op: opPutPerson, ID: id, Sealed: box})
}
