package scan

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// Scanner stands somewhere in a payload. Its methods are called in the order of the grammar; it keeps no copy.
type Scanner struct {
	p    []byte
	i    int
	flaw *FieldError
}

// Open begins a payload, behind what may stand before the JSON. Whether there is anything at all tells Empty.
func Open(p []byte) Scanner {
	p = fromUTF16(p)
	s := Scanner{p: p[:len(p)-padding(p)]}
	for {
		rest := bytes.TrimPrefix(s.p[s.i:], mark)
		if s.i = len(s.p) - len(rest); s.i >= len(s.p) || !filler(s.p[s.i]) {
			return s
		}
		s.i++
	}
}

var mark = []byte("\xef\xbb\xbf")

// filler is a byte that stands around payloads: white space, control characters, erased flash.
func filler(c byte) bool { return c <= ' ' || c == 0x7f || c == 0xff }

// padding counts the bytes at the end of a payload that say nothing.
func padding(p []byte) int {
	n := len(p)
	for n > 0 {
		switch {
		case filler(p[n-1]):
			n--
		case bytes.HasSuffix(p[:n], mark):
			n -= len(mark)
		default:
			return len(p) - n
		}
	}
	return len(p)
}

// fromUTF16 gives a payload in UTF-8 that begins as UTF-16 does, and any other as it is.
func fromUTF16(p []byte) []byte {
	var order binary.ByteOrder
	switch {
	case len(p) < 4:
		return p
	case p[0] == 0xff && p[1] == 0xfe, p[0] != 0 && p[1] == 0 && p[2] != 0 && p[3] == 0:
		order = binary.LittleEndian
	case p[0] == 0xfe && p[1] == 0xff, p[0] == 0 && p[1] != 0 && p[2] == 0 && p[3] != 0:
		order = binary.BigEndian
	default:
		return p
	}
	units := make([]uint16, len(p)/2)
	for i := range units {
		units[i] = order.Uint16(p[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// Empty reports whether nothing is left.
func (s *Scanner) Empty() bool { return s.Peek() == 0 && s.i >= len(s.p) }

// Flaw is the first thing that belonged to no field and was skipped, nil when there was none.
func (s *Scanner) Flaw() *FieldError { return s.flaw }

func (s *Scanner) flawed(field, want, got string) {
	if s.flaw == nil {
		s.flaw = &FieldError{field, want, got}
	}
}

// Peek is the byte at the scanner after white space, 0 at the end.
func (s *Scanner) Peek() byte {
	for s.i < len(s.p) {
		switch c := s.p[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// Take steps over c if it is next.
func (s *Scanner) Take(c byte) bool {
	if s.Peek() != c || s.i >= len(s.p) {
		return false
	}
	s.i++
	return true
}

// Close looks at what follows the payload's value. What comes after the end of a C string or of a file says nothing, anything else is
// a flaw.
func (s *Scanner) Close() {
	for s.i < len(s.p) {
		switch c := s.p[s.i]; {
		case c == 0 || c == ctrlZ:
			return
		case filler(c):
			s.i++
		default:
			s.flawed(Payload, "nothing after the JSON value", "more bytes")
			return
		}
	}
}

const ctrlZ = 0x1a

// cut is the fault of a payload that ends too early.
func cut(field, want string) *FieldError { return &FieldError{field, want, GotCut} }
