package registry

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"watchhouse/telemetry"
)

const (
	maxImportBytes = 64 << 20
	maxImportRows  = 200_000
)

// csvRow is a row under its header: cells by column, and the line it begins on.
type csvRow struct {
	line  int
	cells map[string]string
}

// cell gives a cell and whether the file has its column at all.
func (r csvRow) cell(column string) (string, bool) {
	s, ok := r.cells[column]
	return s, ok
}

// rowIDs are the ids of a file, with their lines.
type rowIDs map[string]int

// take gives the id of a row, if it is one and the first of its name.
func (ids rowIDs) take(row csvRow, file *csvReader) (string, bool) {
	id, _ := row.cell(colID)
	if !telemetry.ValidID(id) {
		file.fault(row.line, colID, wantID, excerpt(id))
		return "", false
	}
	if first, twice := ids[id]; twice {
		file.fault(row.line, colID, "each id once", excerpt(id)+" as in row "+strconv.Itoa(first))
		return "", false
	}
	ids[id] = row.line
	return id, true
}

// csvReader reads a file whole and gathers its faults.
type csvReader struct {
	csv    *csv.Reader
	form   csvForm
	offset int      // lines before the header
	header []string // "" = a column without a name, whose cells must be empty
	rows   []csvRow
	faults ImportErrors
}

// csvForm is what a header may hold, and what it must.
type csvForm struct{ columns, required []string }

// readCSV reads header and rows. The error is of the reader behind in; faults of the file are in the result.
func readCSV(in io.Reader, form csvForm) (*csvReader, error) {
	text, err := io.ReadAll(io.LimitReader(in, maxImportBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	r := &csvReader{form: form}
	if len(text) > maxImportBytes {
		r.fault(1, "", "a file of at most "+strconv.Itoa(maxImportBytes)+" bytes", "a larger one")
		return r, nil
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if line, bad := firstNotUTF8(text); bad {
		r.fault(line, "", "UTF-8 (in a spreadsheet: save as “CSV UTF-8”)", "another encoding")
		return r, nil
	}
	sep, body, skipped := separatorOf(string(text))
	r.offset = skipped
	r.csv = csv.NewReader(strings.NewReader(body))
	r.csv.Comma = sep
	r.csv.FieldsPerRecord = -1
	r.csv.TrimLeadingSpace = true
	if r.readHeader() {
		r.readRows()
	}
	return r, nil
}

func firstNotUTF8(text []byte) (line int, bad bool) {
	if utf8.Valid(text) {
		return 0, false
	}
	for l := range bytes.Lines(text) {
		line++
		if !utf8.Valid(l) {
			break
		}
	}
	return line, true
}

// fault adds a fault; of a cell the first one only.
func (r *csvReader) fault(row int, column, want, got string) {
	told := column != "" && slices.ContainsFunc(r.faults, func(e RowError) bool { return e.Row == row && e.Column == column })
	if len(r.faults) < maxListed && !told {
		r.faults = append(r.faults, RowError{Row: row, Column: column, Want: want, Got: got})
	}
}

// readHeader checks the names of the columns.
func (r *csvReader) readHeader() bool {
	names, err := r.csv.Read()
	if err != nil {
		r.fault(1, "", "a header with at least "+strings.Join(r.form.required, ","), describeCSV(err))
		return false
	}
	for _, heading := range names {
		name := r.form.column(heading)
		switch {
		case name == "":
		case !slices.Contains(r.form.columns, name):
			r.fault(1+r.offset, name, "one of "+strings.Join(r.form.columns, ","), "an unknown column")
		case slices.Contains(r.header, name):
			r.fault(1+r.offset, name, "each column once", "it twice")
		}
		r.header = append(r.header, name)
	}
	for _, name := range r.form.required {
		if !slices.Contains(r.header, name) {
			r.fault(1+r.offset, name, "this column", "none")
		}
	}
	return len(r.faults) == 0
}

func (r *csvReader) readRows() {
	for {
		cells, err := r.csv.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			r.fault(errorLine(err)+r.offset, "", "CSV", describeCSV(err))
			continue
		}
		line, _ := r.csv.FieldPos(0)
		line += r.offset
		if len(r.rows) == maxImportRows {
			r.fault(line, "", "at most "+strconv.Itoa(maxImportRows)+" rows", "more")
			return
		}
		if row, ok := r.row(line, cells); ok {
			r.rows = append(r.rows, row)
		}
	}
}

// row puts cells under their header. What a spreadsheet leaves at the edges of a table says nothing: empty rows, empty cells beyond
// the last column, and cells left out at the end of a row.
func (r *csvReader) row(line int, cells []string) (row csvRow, ok bool) {
	for i := range cells {
		cells[i] = cleanCell(cells[i])
	}
	filled := slices.IndexFunc(cells, func(s string) bool { return s != "" })
	if filled < 0 {
		return row, false
	}
	for len(cells) > len(r.header) && cells[len(cells)-1] == "" {
		cells = cells[:len(cells)-1]
	}
	if len(cells) > len(r.header) || len(cells) < r.least() {
		r.fault(line, "", strconv.Itoa(len(r.header))+" cells, as in the header", strconv.Itoa(len(cells)))
		return row, false
	}
	row = csvRow{line: line, cells: make(map[string]string, len(r.header))}
	for i, name := range r.header {
		cell := ""
		if i < len(cells) {
			cell = cells[i]
		}
		r.checkCell(line, name, cell)
		row.cells[name] = cell
	}
	delete(row.cells, "")
	return row, true
}

// least is how many cells a row has at the least: those up to the last required one.
func (r *csvReader) least() (n int) {
	for _, name := range r.form.required {
		n = max(n, slices.Index(r.header, name)+1)
	}
	return n
}

func (r *csvReader) checkCell(line int, column, cell string) {
	switch {
	case column == "" && cell != "":
		r.fault(line, "", "nothing in a column without a name", "a text")
	case damaged(column, cell) && secretColumn(column):
		r.fault(line, column, wantUndamaged, "what a spreadsheet has put in its place")
	case damaged(column, cell):
		r.fault(line, column, wantUndamaged, excerpt(cell)+", put there by a spreadsheet")
	}
}

func errorLine(err error) int {
	if p, ok := errors.AsType[*csv.ParseError](err); ok {
		return p.StartLine
	}
	return 0
}

// describeCSV tells of a fault of form without repeating the text.
func describeCSV(err error) string {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return "an empty file"
	case errors.As(err, &p):
		return p.Err.Error() + " at column " + strconv.Itoa(p.Column)
	}
	return "an unreadable file"
}
