package registry

import (
	"context"
	"errors"
	"io"
	"strings"
)

// areaSeparator stands between the areas of a contact.
const areaSeparator = ";"

// ImportPlaces reads places from CSV and adds or changes them, all or nothing. Errors are ImportErrors: every faulty row. What the
// columns mean is in the package comment.
func (r *Registry) ImportPlaces(ctx context.Context, actor string, in io.Reader) (ImportReport, error) {
	return r.importSites(ctx, actor, in, placeForm(), (*siteImporter).place)
}

// ImportContacts reads contacts from CSV likewise.
func (r *Registry) ImportContacts(ctx context.Context, actor string, in io.Reader) (ImportReport, error) {
	return r.importSites(ctx, actor, in, contactForm(), (*siteImporter).contact)
}

func (r *Registry) importSites(
	ctx context.Context, actor string, in io.Reader, form csvForm, put func(*siteImporter, *cellReader, string) error,
) (ImportReport, error) {
	file, err := readCSV(in, form)
	if err != nil {
		return ImportReport{}, err
	}
	var report ImportReport
	err = r.edit(ctx, actor, func(d *draft) error {
		im := siteImporter{draft: d, file: file.pass()}
		if err := im.run(put); err != nil {
			return err
		}
		report = im.report
		return nil
	})
	return report, err
}

// siteImporter turns rows about places or contacts into operations of a draft.
type siteImporter struct {
	draft  *draft
	file   *csvReader
	report ImportReport
}

func (im *siteImporter) run(put func(*siteImporter, *cellReader, string) error) error {
	ids := rowIDs{}
	for row := range im.file.rows {
		id, ok := ids.take(row, im.file)
		if !ok {
			continue
		}
		cells := &cellReader{row: row, file: im.file, faultsBefore: len(im.file.faults)}
		err := put(im, cells, id)
		if invalid, ok := errors.AsType[*InvalidError](err); ok {
			im.file.fault(row.line, invalid.Field, invalid.Want, invalid.Got)
		} else if err != nil {
			return err
		}
	}
	if len(im.file.faults) > 0 {
		return im.file.faults
	}
	return nil
}

// place reads a row onto the registered place of its id, or onto a new one.
func (im *siteImporter) place(c *cellReader, id string) error {
	before, known := im.draft.next.Places[id]
	p := before
	p.ID = id
	c.text(colName, &p.Name)
	c.id(colArea, &p.Area)
	c.position(&p.Lat, &p.Lon)
	if hours, ok := c.row.cell(colHours); ok {
		p.Hours = hours
	}
	if !c.clean() || known && p.Equal(before) {
		return nil
	}
	im.report.count(!known, true)
	return im.draft.putPlace(p)
}

// contact reads a row likewise. Name and telephone change field by field, as those of a person do.
func (im *siteImporter) contact(c *cellReader, id string) error {
	record, known := im.draft.next.Contacts[id]
	contact := record.Contact
	contact.ID = id
	if duty, ok := c.row.cell(colDuty); ok {
		contact.Duty = duty
	}
	if webhook, ok := c.row.cell(colWebhook); ok {
		contact.Webhook = webhook
	}
	if areas, ok := c.row.cell(colAreas); ok {
		contact.Areas = splitAreas(areas)
	}
	reach, err := im.reach(c, id, record, known)
	if err != nil || known && reach == nil && contact.Equal(record.Contact) {
		return err
	}
	im.report.count(!known, true)
	return im.draft.putContact(contact, reach)
}

func splitAreas(cell string) (areas []string) {
	for area := range strings.SplitSeq(cell, areaSeparator) {
		if area = strings.TrimSpace(area); area != "" {
			areas = append(areas, area)
		}
	}
	return sortedSet(areas)
}

// reach gives name and telephone as the row has them, nil when it changes neither.
func (im *siteImporter) reach(c *cellReader, id string, record contactRecord, known bool) (*Reach, error) {
	name, hasName := c.row.cell(colName)
	phone, hasPhone := c.row.cell(colPhone)
	if !hasName && !hasPhone {
		return nil, nil
	}
	var before Reach
	if known {
		var err error
		if before, err = unseal[Reach](im.draft.view.keys, contactOwner(id), record.Sealed); err != nil {
			return nil, err
		}
	}
	after := before
	if hasName {
		after.Name = unguard(name)
	}
	if hasPhone {
		after.Phone = tidyPhone(unguard(phone))
	}
	if known && after == before {
		return nil, nil
	}
	return &after, nil
}
