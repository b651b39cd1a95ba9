package registry

import (
	"strings"
)

// The columns of the CSV, in the order of the export. id and kind are required on import, secret and the person_ columns are
// never exported.
const (
	colID            = "id"
	colKind          = "kind"
	colName          = "name"
	colArea          = "area"
	colLat           = "lat"
	colLon           = "lon"
	colCRS           = "crs"
	colGateway       = "gateway"
	colPower         = "power"
	colInterval      = "report_interval_s"
	colModel         = "model"
	colAddress       = "address"
	colSettings      = "settings"
	colPlace         = "place"
	colPerson        = "person"
	colOutOfService  = "out_of_service"
	colSecret        = "secret"
	colPersonName    = "person_name"
	colPersonPhone   = "person_phone"
	colPersonAddress = "person_address"
	colPersonNote    = "person_note"

	// Of places and contacts only.
	colHours   = "hours"
	colDuty    = "duty"
	colAreas   = "areas"
	colPhone   = "phone"
	colWebhook = "webhook"
)

func exportColumns() []string {
	return []string{
		colID, colKind, colName, colArea, colLat, colLon, colCRS, colGateway, colPower, colInterval, colModel, colAddress, colSettings, colPlace,
		colPerson, colOutOfService,
	}
}

// deviceForm, placeForm and contactForm are what the files may hold, and what they must.
func deviceForm() csvForm {
	columns := append(exportColumns(), colSecret, colPersonName, colPersonPhone, colPersonAddress, colPersonNote)
	return csvForm{columns, []string{colID, colKind}}
}

func placeForm() csvForm { return csvForm{placeColumns(), []string{colID}} }

func contactForm() csvForm {
	return csvForm{append(contactColumns(), colName, colPhone), []string{colID}}
}

func placeColumns() []string {
	return []string{colID, colName, colArea, colLat, colLon, colCRS, colHours}
}

func contactColumns() []string { return []string{colID, colDuty, colAreas, colWebhook} }

// secretColumn reports whether errors must not repeat what the column holds.
func secretColumn(name string) bool {
	return name == colSecret || strings.HasPrefix(name, "person_")
}

// formulaStart are the characters by which a spreadsheet takes a cell for a formula (OWASP, CSV injection), and the quote
// that makes it text again, so that unguard(guard(s)) is s.
const formulaStart = "=+-@'"

// guard makes a text safe to open in a spreadsheet.
func guard(s string) string {
	if s != "" && strings.ContainsRune(formulaStart, rune(s[0])) {
		return "'" + s
	}
	return s
}

// unguard takes the guard of an export, or of a careful person, off again.
func unguard(s string) string {
	if len(s) >= 2 && s[0] == '\'' && strings.ContainsRune(formulaStart, rune(s[1])) {
		return s[1:]
	}
	return s
}
