package registry

import (
	"context"
	"errors"
	"io"
	"strings"
)

// ImportPlaces reads places from CSV (id,name and optionally area,lat,lon,crs,hours) and adds or replaces them, all or nothing.
// Errors are ImportErrors: every faulty row.
func (r *Registry) ImportPlaces(ctx context.Context, actor string, in io.Reader) (int, error) {
	form := csvForm{[]string{colID, colName, colArea, colLat, colLon, colCRS, colHours}, []string{colID, colName}}
	return r.importRows(ctx, actor, in, form, func(d *draft, c *cellReader) error {
		p := Place{ID: c.row.cells[colID], Area: c.row.cells[colArea], Hours: c.row.cells[colHours]}
		c.text(colName, &p.Name)
		c.position(&p.Lat, &p.Lon)
		if !c.clean() {
			return nil
		}
		return d.putPlace(p)
	})
}

// ImportContacts reads contacts from CSV (id,duty,name and optionally areas with ; between, phone, webhook) and adds or replaces
// them, all or nothing. Errors are ImportErrors: every faulty row.
func (r *Registry) ImportContacts(ctx context.Context, actor string, in io.Reader) (int, error) {
	form := csvForm{[]string{colID, colDuty, colAreas, colName, colPhone, colWebhook}, []string{colID, colDuty, colName}}
	return r.importRows(ctx, actor, in, form, func(d *draft, c *cellReader) error {
		contact := Contact{ID: c.row.cells[colID], Duty: c.row.cells[colDuty], Webhook: c.row.cells[colWebhook]}
		if areas := c.row.cells[colAreas]; areas != "" {
			contact.Areas = strings.Split(areas, ";")
		}
		return d.putContact(contact, &Reach{Name: unguard(c.row.cells[colName]), Phone: unguard(c.row.cells[colPhone])})
	})
}

// importRows puts each row and gives how many there were.
func (r *Registry) importRows(ctx context.Context, actor string, in io.Reader, form csvForm, put func(*draft, *cellReader) error) (int, error) {
	file, err := readCSV(in, form)
	if err != nil {
		return 0, err
	}
	err = r.edit(ctx, actor, func(d *draft) error {
		gathered := &csvReader{header: file.header, faults: file.faults}
		for _, row := range file.rows {
			err := put(d, &cellReader{row: row, file: gathered, faultsBefore: len(gathered.faults)})
			if invalid, ok := errors.AsType[*InvalidError](err); ok {
				gathered.fault(row.line, invalid.Field, invalid.Want, invalid.Got)
			} else if err != nil {
				return err
			}
		}
		if len(gathered.faults) > 0 {
			return gathered.faults
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(file.rows), nil
}
