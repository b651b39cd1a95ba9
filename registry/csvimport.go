package registry

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
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
		im := importer{draft: d, file: file.pass(), report: ImportReport{Generated: map[string]string{}}}
		if err := im.check(); err != nil {
			return err
		}
		d.later = func(do func(op) error) error {
			defer func() { report, d.later = im.report, nil }() // the text may go before the view is made
			return im.write(do)
		}
		return nil
	})
	if err != nil {
		return ImportReport{}, err
	}
	return report, nil
}

// importer reads the file twice: check finds the faults, upon the state as it will be, and write makes the operations one by one. So
// a large file is never in memory as all it becomes.
type importer struct {
	draft   *draft
	file    *csvReader
	report  ImportReport
	lines   rowIDs
	people  map[string]importedPerson
	faulty  map[string]bool // ids of rows that cannot be read
	strings names
}

// check puts the devices into the state as it will be, and returns the faults of the file.
func (im *importer) check() error {
	im.lines, im.people = rowIDs{}, map[string]importedPerson{}
	im.faulty, im.strings = map[string]bool{}, names{}
	for row := range im.file.rows {
		id, ok := im.lines.take(row, im.file)
		if !ok {
			continue
		}
		device, ok := im.device(row, id)
		if !ok {
			im.faulty[strings.Clone(id)] = true
			continue
		}
		im.person(row, device.Person)
		im.put(row, device)
	}
	im.checkReferences()
	if len(im.file.faults) > 0 {
		return im.file.faults
	}
	return im.checkKey()
}

// device reads a row onto the registered device of its id, or onto a new one.
func (im *importer) device(row csvRow, id string) (Device, bool) {
	device := im.draft.view.state.Devices[id].device()
	device.ID = id
	cells := cellReader{row: row, catalog: im.draft.view.catalog, file: im.file, faultsBefore: len(im.file.faults)}
	cells.fill(&device)
	device = device.withAddressOf(im.draft.view.catalog)
	return device, cells.clean()
}

// put shows the device as it will be, and checks its secret.
func (im *importer) put(row csvRow, device Device) {
	if device.Person != "" && hasPersonal(row) {
		if _, known := im.draft.next.Persons[device.Person]; !known {
			im.draft.next.Persons[strings.Clone(device.Person)] = sealed{} // will be
		}
	}
	before, known := im.draft.view.state.Devices[device.ID]
	if !known || !device.sameImport(before.device()) {
		im.draft.next.Devices[device.ID] = recordOf(im.strings.apart(device))
	}
	secret, _ := row.cell(colSecret)
	if secret == "" || secret == GenerateSecret {
		return
	}
	if invalid, ok := errors.AsType[*InvalidError](checkSecret("", secret)); ok {
		im.file.fault(row.line, colSecret, invalid.Want, invalid.Got)
	}
}

// checkKey makes sure that what is personal can be sealed, before anything is written.
func (im *importer) checkKey() error {
	if len(im.people) == 0 {
		return nil
	}
	_, err := im.draft.seal(personOwner(""), Personal{})
	return err
}

// write gives the operations of the file, which has no faults.
func (im *importer) write(do func(op) error) error {
	im.file = im.file.pass()
	for row := range im.file.rows {
		id, _ := row.cell(colID)
		device, _ := im.device(row, id)
		err := im.writeDevice(row, device, do)
		if err == nil {
			err = im.writePerson(row, device.Person, do)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeDevice gives the operations of a row that changes something.
func (im *importer) writeDevice(row csvRow, device Device, do func(op) error) error {
	record, known := im.draft.view.state.Devices[device.ID]
	before := record.device()
	secret, _ := row.cell(colSecret)
	if secret == "" && !before.HasSecret {
		secret = GenerateSecret
	}
	changed := !known || !device.sameImport(before)
	im.report.count(!known, changed || secret != "")
	if changed {
		if err := do(op{Op: opPutDevice, Device: recordOf(device)}); err != nil {
			return err
		}
	}
	if secret == "" {
		return nil
	}
	o, made, err := im.draft.secretOf("", device.ID, secret)
	if err != nil {
		return err
	}
	if made != "" {
		im.report.Generated[strings.Clone(device.ID)] = made
	}
	return do(o)
}

// checkReferences checks gateways, areas, people and addresses when every row is in place.
func (im *importer) checkReferences() {
	check := im.draft.referenceCheck()
	for id, line := range im.inOrder() {
		if im.faulty[id] {
			continue
		}
		device := im.draft.next.Devices[id]
		for _, fault := range check(device.device()) {
			if !im.named(fault.Field, device.Device) {
				im.file.fault(line, fault.Field, fault.Want, fault.Got)
			}
		}
	}
}

// inOrder gives the ids of the file by line.
func (im *importer) inOrder() iter.Seq2[string, int] {
	ids := slices.SortedFunc(maps.Keys(im.lines), func(a, b string) int { return cmp.Compare(im.lines[a], im.lines[b]) })
	return func(yield func(string, int) bool) {
		for _, id := range ids {
			if !yield(id, im.lines[id]) {
				return
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
		return im.faulty[device.Gateway]
	}
	return false
}
