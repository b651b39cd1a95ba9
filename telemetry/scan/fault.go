package scan

import "strconv"

// FieldError says which field of a payload was wrong, what was expected and what was found. It never holds content: payloads may
// hold personal data, and errors reach logs.
type FieldError struct{ Field, Want, Got string }

func (e *FieldError) Error() string {
	return e.Field + ": want " + e.Want + ", got " + e.Got
}

// Payload names the payload as a whole.
const Payload = "payload"

// What was found, where it is not one of the shapes of a value.
const (
	GotNothing = "nothing"
	GotTwice   = "it twice"
	GotEmpty   = "an empty one"
	GotNotUTF8 = "text that is not UTF-8"
	GotCut     = "the end of the payload"
)

// FieldName gives a name from a payload in a form that is safe in a log: printable ASCII, at most 32 bytes.
func FieldName(raw []byte) string {
	const longest = 32
	if plain(raw, longest) {
		return string(raw)
	}
	quoted := strconv.QuoteToASCII(string(raw[:min(len(raw), longest)]))
	return quoted[:min(len(quoted), longest)]
}

func plain(raw []byte, longest int) bool {
	if len(raw) == 0 || len(raw) > longest || !letter(raw[0]) {
		return false
	}
	for _, c := range raw {
		if !letter(c) && !digit(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }
