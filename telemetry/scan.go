package telemetry

import "encoding/json"

// scanner reads JSON from a payload front to back. It is a scanner of its own because a decoding error has to name the field
// in which the text broke, and because the telemetry lane decodes every message of the subdistrict. Nested values, which no
// field wants, are checked by encoding/json; a fuzz test holds the rest against it.
type scanner struct {
	p []byte
	i int
}

// shape is what a value looks like.
type shape byte

const (
	isNothing shape = iota
	isString
	isNumber
	isTrue
	isFalse
	isNull
	isObject
	isArray
	isWord // NaN, nan, Infinity, None: no JSON, but a whole token
	isBroken
)

func (s shape) String() string {
	switch s {
	case isNothing:
		return gotTruncated
	case isString:
		return "a string"
	case isNumber:
		return "a number"
	case isTrue, isFalse:
		return "a boolean"
	case isNull:
		return "null"
	case isObject:
		return "an object"
	case isArray:
		return "an array"
	case isWord:
		return "a bare word such as NaN"
	}
	return "text that is not JSON"
}

// value is one value of the payload; raw is its text, of a string what stands between the quotes.
type value struct {
	shape shape
	raw   []byte
}

// peek is the byte at the scanner after white space, 0 at the end.
func (s *scanner) peek() byte {
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

// take steps over c if it is next.
func (s *scanner) take(c byte) bool {
	if s.peek() != c || s.i >= len(s.p) {
		return false
	}
	s.i++
	return true
}

// value reads the next value whole; a composite is checked and stepped over.
func (s *scanner) value() value {
	c := s.peek()
	switch {
	case s.i >= len(s.p):
		return value{}
	case c == '"':
		return s.str()
	case c == '{':
		return s.composite(isObject)
	case c == '[':
		return s.composite(isArray)
	}
	return s.token()
}

// str reads a string whose opening quote is next.
func (s *scanner) str() value {
	s.i++
	for from := s.i; s.i < len(s.p); s.i++ {
		switch c := s.p[s.i]; {
		case c == '"':
			s.i++
			return value{isString, s.p[from : s.i-1]}
		case c < ' ':
			return value{shape: isBroken}
		case c == '\\':
			if !s.escape() {
				return value{shape: isBroken}
			}
		}
	}
	return value{}
}

// escape steps to the last byte of the escape at the scanner.
func (s *scanner) escape() bool {
	s.i++
	if s.i >= len(s.p) {
		return false
	}
	switch s.p[s.i] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			s.i++
			if s.i >= len(s.p) || !hex(s.p[s.i]) {
				return false
			}
		}
		return true
	}
	return false
}

func hex(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// composite steps over an object or array, quotes and escapes respected, and has encoding/json check it.
func (s *scanner) composite(sh shape) value {
	from, depth := s.i, 0
	for ; s.i < len(s.p); s.i++ {
		switch s.p[s.i] {
		case '"':
			if v := s.str(); v.shape != isString {
				return v
			}
			s.i--
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth > 0 {
				continue
			}
			s.i++
			if raw := s.p[from:s.i]; json.Valid(raw) {
				return value{sh, raw}
			}
			return value{shape: isBroken}
		}
	}
	return value{}
}

// token reads a number, a literal or a bare word.
func (s *scanner) token() value {
	from := s.i
	for s.i < len(s.p) && tokenByte(s.p[s.i]) {
		s.i++
	}
	raw := s.p[from:s.i]
	switch string(raw) {
	case "true":
		return value{isTrue, raw}
	case "false":
		return value{isFalse, raw}
	case "null":
		return value{isNull, raw}
	}
	switch {
	case validNumber(raw):
		return value{isNumber, raw}
	case bareWord(raw):
		return value{isWord, raw}
	}
	return value{shape: isBroken}
}

func tokenByte(c byte) bool { return alphanumeric(c) || c == '-' || c == '+' || c == '.' }

// bareWord reports whether raw is letters, with or without a sign.
func bareWord(raw []byte) bool {
	if len(raw) > 0 && (raw[0] == '-' || raw[0] == '+') {
		raw = raw[1:]
	}
	for _, c := range raw {
		if !letter(c) {
			return false
		}
	}
	return len(raw) > 0
}

// validNumber reports whether raw is a number by the grammar of JSON.
func validNumber(raw []byte) bool {
	i := 0
	if i < len(raw) && raw[i] == '-' {
		i++
	}
	whole := digits(raw[i:])
	if whole == 0 || whole > 1 && raw[i] == '0' {
		return false
	}
	i += whole
	if i < len(raw) && raw[i] == '.' {
		n := digits(raw[i+1:])
		if n == 0 {
			return false
		}
		i += 1 + n
	}
	return i == len(raw) || validExponent(raw[i:])
}

func validExponent(raw []byte) bool {
	if raw[0]|0x20 != 'e' {
		return false
	}
	raw = raw[1:]
	if len(raw) > 0 && (raw[0] == '-' || raw[0] == '+') {
		raw = raw[1:]
	}
	return len(raw) > 0 && digits(raw) == len(raw)
}

// digits counts the digits that raw begins with.
func digits(raw []byte) int {
	n := 0
	for n < len(raw) && digit(raw[n]) {
		n++
	}
	return n
}
