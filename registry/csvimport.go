package registry

import (
	"context"
	"errors"
	"io"
)

// ImportReport of a successful import; Generated holds secrets to show once. Rows equal to what is registered count for nothing.
type ImportReport struct {
	Added, Changed int
	Generated      map[string]string
}

func (r *ImportReport) count(added, changed bool) {
	switch {
	case added:
		r.Added++
	case changed:
		r.Changed++
	}
}

// ImportCSV reads devices (and optionally person columns) and applies all or nothing. Errors are ImportErrors: every faulty
// row. What the columns mean is in the package comment.
func (r *Registry) ImportCSV(ctx context.Context, actor string, in io.Reader) (ImportReport, error) {
	file, err := readCSV(in, deviceForm())
	if err != nil {
		return ImportReport{}, err
	}
	var report ImportReport
	err = r.edit(ctx, actor, func(d *draft) error {
		im := importer{draft: d, file: &csvReader{header: file.header, faults: file.faults}}
		im.report.Generated = map[string]string{}
		if err := im.run(file.rows); err != nil {
			return err
		}
		report = im.report
		return nil
	})
	if err != nil {
		return ImportReport{}, err
	}
	return report, nil
}

// importer turns rows into operations of a draft.
type importer struct {
	draft  *draft
	file   *csvReader // header and faults
	report ImportReport
	lines  rowIDs
	people map[string]importedPerson
}

func (im *importer) run(rows []csvRow) error {
	im.lines, im.people = rowIDs{}, map[string]importedPerson{}
	devices := make([]Device, 0, len(rows))
	for _, row := range rows {
		device, ok := im.device(row)
		if ok {
			im.person(row, device.Person)
			im.put(row, device)
			devices = append(devices, device)
		}
	}
	if err := im.sealPeople(); err != nil {
		return err
	}
	im.checkReferences(devices)
	if len(im.file.faults) > 0 {
		return im.file.faults
	}
	return nil
}

// device reads a row onto the registered device of its id, or onto a new one.
func (im *importer) device(row csvRow) (Device, bool) {
	id, ok := im.lines.take(row, im.file)
	if !ok {
		return Device{}, false
	}
	device := im.draft.next.Devices[id].device()
	device.ID = id
	cells := cellReader{row: row, catalog: im.draft.view.catalog, file: im.file, faultsBefore: len(im.file.faults)}
	cells.fill(&device)
	device = device.withAddressOf(im.draft.view.catalog)
	return device, cells.clean()
}

// put adds the operations of a row that changes something.
func (im *importer) put(row csvRow, device Device) {
	record, known := im.draft.next.Devices[device.ID]
	before := record.device()
	secret, _ := row.cell(colSecret)
	if secret == "" && !before.HasSecret {
		secret = GenerateSecret
	}
	changed := !known || !device.sameImport(before)
	if changed {
		im.draft.do(op{Op: opPutDevice, Device: recordOf(device)})
	}
	im.report.count(!known, changed || secret != "")
	if secret != "" {
		im.secret(row, device.ID, secret)
	}
}

func (im *importer) secret(row csvRow, id, secret string) {
	made, err := im.draft.setSecret("", id, secret)
	if invalid, ok := errors.AsType[*InvalidError](err); ok {
		im.file.fault(row.line, colSecret, invalid.Want, invalid.Got)
	}
	if made != "" {
		im.report.Generated[id] = made
	}
}

// checkReferences checks gateways, areas, people and addresses when every row is in place.
func (im *importer) checkReferences(devices []Device) {
	check := im.draft.referenceCheck()
	for _, device := range devices {
		for _, fault := range check(device) {
			if !im.named(fault.Field, device) {
				im.file.fault(im.lines[device.ID], fault.Field, fault.Want, fault.Got)
			}
		}
	}
}

// named reports whether what seems missing stands in the file, in a row with a fault of its own: one fault is told once.
func (im *importer) named(field string, device Device) bool {
	switch field {
	case colPerson:
		_, ok := im.people[device.Person]
		return ok
	case colGateway:
		_, listed := im.lines[device.Gateway]
		_, taken := im.draft.next.Devices[device.Gateway]
		return listed && !taken
	}
	return false
}
