package catalog

import (
	"strings"
)

// AddressForm is how the addresses of a profile are written, "" for any text.
type AddressForm string

// FormEUI64 is an extended unique identifier of 64 bits (IEEE), a DevEUI for example: 16 hexadecimal digits.
const FormEUI64 AddressForm = "eui64"

// Valid reports whether the form is known.
func (f AddressForm) Valid() bool { return f == "" || f == FormEUI64 }

// Want describes the form to people.
func (f AddressForm) Want() string {
	if f == FormEUI64 {
		return "a DevEUI of 16 hexadecimal digits (in a spreadsheet: format the column as text)"
	}
	return "any text"
}

// bare leaves out what people and labels put between digits. It is asked for every message of a bridge.
func bare(r rune) rune {
	switch r {
	case '-', ':', ' ', '.':
		return -1
	}
	return r
}

// Normal gives an address as the profile's topics have it: of an EUI-64 without dashes, colons, blanks and 0x, in small letters. ok is
// false for what is none.
func (f AddressForm) Normal(address string) (normal string, ok bool) {
	if f != FormEUI64 {
		return address, true
	}
	normal = strings.TrimPrefix(strings.ToLower(strings.Map(bare, address)), "0x")
	if len(normal) != 16 || strings.Trim(normal, "0123456789abcdef") != "" {
		return address, false
	}
	return normal, strings.Trim(normal, "0") != "" && strings.Trim(normal, "f") != ""
}
