package registry

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// wantUndamaged says how to keep a spreadsheet from spoiling a cell.
const wantUndamaged = "the text itself: format the column as text in the spreadsheet, and type it again"

var (
	// A number that a spreadsheet has shortened, "1.38E+10": what stood in the cell is lost.
	shortened = regexp.MustCompile(`^[+-]?[0-9]+(?:[.,][0-9]+)?[eE]\+[0-9]+$`)
	// The errors of formulas (Excel, WPS, LibreOffice), and the signs of a column that is too narrow.
	formulaError = regexp.MustCompile(`^#(?:N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!|SPILL!|CALC!|FIELD!|BUSY!|UNKNOWN!|GETTING_DATA|##+)$`)
	// A text kept from being read as a number, ="013…".
	textFormula = regexp.MustCompile(`^="([^"]*)"$`)
)

// cleanCell takes off what people do not see: blanks around the text, and the marks without width that come with text copied from
// web pages and chats.
func cleanCell(s string) string {
	if !utf8.ValidString(s) {
		return s // refused as it is
	}
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if invisible(r) {
			return -1
		}
		return r
	}, s))
	if m := textFormula.FindStringSubmatch(s); m != nil {
		return strings.TrimSpace(m[1])
	}
	return s
}

// invisible are the format characters without a width: the byte order mark, zero-width spaces and joiners, marks of direction.
func invisible(r rune) bool {
	return r == '\ufeff' || r == '\u2060' || r == '\u00ad' || r >= '\u200b' && r <= '\u200f' || r >= '\u202a' && r <= '\u202e' ||
		r >= '\u2066' && r <= '\u2069'
}

// damaged reports whether a spreadsheet has replaced what stood in a cell. Coordinates may be written with an exponent.
func damaged(column, s string) bool {
	switch column {
	case colLat, colLon:
		return formulaError.MatchString(s)
	case colSecret:
		return false // any text can be a secret
	}
	return formulaError.MatchString(s) || shortened.MatchString(s)
}

// halfWidth turns the full-width letters, digits and signs of an input method into ASCII, and the ideographic space into a blank.
func halfWidth(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～':
			return r - '！' + '!'
		case r == '\u3000' || r == '\u00a0':
			return ' '
		}
		return r
	}, s)
}
