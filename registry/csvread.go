package registry

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// csvRow is a row under its header, and the line it begins on. It is good until the next row is read.
type csvRow struct {
	line   int
	header []string
	cells  []string // as many as the header has
}

// cell gives a cell and whether the file has its column at all.
func (r csvRow) cell(column string) (string, bool) {
	i := slices.Index(r.header, column)
	if i < 0 {
		return "", false
	}
	return r.cells[i], true
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
	ids[strings.Clone(id)] = row.line // alone: a cell holds its whole row in memory
	return id, true
}

// csvReader reads a file as often as need be, row by row, and gathers its faults. Of the file only the text is held.
type csvReader struct {
	csv    *csv.Reader
	form   csvForm
	text   []byte // from the header on
	sep    rune
	offset int      // lines before the header
	header []string // "" = a column without a name, whose cells must be empty
	faults ImportErrors
}

// csvForm is what a header may hold, and what it must.
type csvForm struct{ columns, required []string }

// readCSV reads the file and its header. The error is of the reader behind in; faults of the file are in the result.
func readCSV(in io.Reader, form csvForm) (*csvReader, error) {
	text, err := readText(in, maxImportBytes+1)
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
	r.sep, r.text, r.offset = separatorOf(text)
	r.rewind()
	r.readHeader()
	return r, nil
}

// readText reads up to most bytes, in one piece of memory when in tells how much there is.
func readText(in io.Reader, most int64) ([]byte, error) {
	var text bytes.Buffer
	switch sized := in.(type) {
	case interface{ Len() int }:
		text.Grow(sized.Len() + bytes.MinRead)
	case fs.File:
		if info, err := sized.Stat(); err == nil && info.Size() < most {
			text.Grow(int(info.Size()) + bytes.MinRead)
		}
	}
	_, err := text.ReadFrom(io.LimitReader(in, most))
	return text.Bytes(), err
}

// rewind begins at the header again.
func (r *csvReader) rewind() {
	r.csv = csv.NewReader(bytes.NewReader(r.text))
	r.csv.Comma = r.sep
	r.csv.FieldsPerRecord = -1
	r.csv.TrimLeadingSpace = r.sep != '\t' // a tab is a space, too: empty cells would be gone, and all others in the wrong columns
	r.csv.ReuseRecord = true
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
func (r *csvReader) readHeader() {
	names, err := r.csv.Read()
	if err != nil {
		r.fault(1, "", "a header with at least "+strings.Join(r.form.required, ","), describeCSV(err))
		return
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
}

// pass is the file to be read once more, from the start and with faults of its own.
func (r *csvReader) pass() *csvReader {
	again := *r
	again.faults = slices.Clone(r.faults)
	return &again
}

// rows gives the rows one after another; none of a file whose header is at fault.
func (r *csvReader) rows(yield func(csvRow) bool) {
	if len(r.faults) > 0 {
		return
	}
	r.rewind()
	_, _ = r.csv.Read() // the header, which has been read before
	for n := 0; ; {
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
		if n == maxImportRows {
			r.fault(line, "", "at most "+strconv.Itoa(maxImportRows)+" rows", "more")
			return
		}
		if row, ok := r.row(line, cells); ok {
			if n++; !yield(row) {
				return
			}
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
	for len(cells) < len(r.header) {
		cells = append(cells, "")
	}
	for i, name := range r.header {
		r.checkCell(line, name, cells[i])
	}
	return csvRow{line, r.header, cells}, true
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
