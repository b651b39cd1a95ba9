package scan

import "unicode/utf8"

// Shape is what a value looks like.
type Shape byte

// The shapes.
const (
	Nothing Shape = iota // the payload ends here
	String
	Number
	True
	False
	Null
	Object
	Array
	Word // NaN, Infinity: no JSON, but letters
	Broken
)

func (s Shape) String() string {
	switch s {
	case Nothing:
		return GotCut
	case String:
		return "a string"
	case Number:
		return "a number"
	case True, False:
		return "a boolean"
	case Null:
		return "null"
	case Object:
		return "an object"
	case Array:
		return "an array"
	case Word:
		return "a bare word such as NaN"
	}
	return "text that is not JSON"
}

// Value is one value of a payload; Raw is its text, of a string what stands between the quotes.
type Value struct {
	Shape Shape
	Raw   []byte
}

// Value reads the next value whole; an object or array is stepped over.
func (s *Scanner) Value() Value {
	c := s.Peek()
	switch {
	case s.i >= len(s.p):
		return Value{}
	case c == '"':
		return s.str()
	case c == '{':
		return s.composite(Object)
	case c == '[':
		return s.composite(Array)
	}
	return s.token()
}

// str reads a string whose opening quote is next, up to the next quote that no backslash stands before.
func (s *Scanner) str() Value {
	s.i++
	for from := s.i; s.i < len(s.p); s.i++ {
		switch c := s.p[s.i]; {
		case c == '"':
			s.i++
			return Value{String, s.p[from : s.i-1]}
		case c == '\\' && !halfOfGBK(s.p[from:s.i]):
			s.i++
		}
	}
	return Value{}
}

// halfOfGBK reports whether a backslash after this text is no escape: in GBK it can be the second byte of a character.
func halfOfGBK(before []byte) bool {
	if len(before) == 0 || before[len(before)-1] < 0x81 {
		return false
	}
	r, size := utf8.DecodeLastRune(before)
	return r == utf8.RuneError && size == 1
}

// composite steps over an object or array, quotes respected. What is in it nobody wants.
func (s *Scanner) composite(sh Shape) Value {
	from, depth := s.i, 0
	for s.i < len(s.p) {
		switch s.p[s.i] {
		case '"':
			if v := s.str(); v.Shape != String {
				return v
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if s.i++; depth == 0 {
			return Value{sh, s.p[from:s.i]}
		}
	}
	return Value{}
}

// token reads a number, a literal or a bare word: what stands before the next byte that means something.
func (s *Scanner) token() Value {
	from := s.i
	for s.i < len(s.p) && !structural(s.p[s.i]) {
		s.i++
	}
	raw := s.p[from:s.i]
	if len(raw) > 0 && (digit(raw[0]) || raw[0] == '-') && validNumber(raw) {
		return Value{Number, raw}
	}
	return Value{shapeOfWord(raw), raw}
}

func shapeOfWord(raw []byte) Shape {
	switch {
	case is(raw, "true"):
		return True
	case is(raw, "false"):
		return False
	case is(raw, "null"), is(raw, "none"):
		return Null
	case bareWord(raw):
		return Word
	}
	return Broken
}

// is compares without regard to case; lower is lower case.
func is(raw []byte, lower string) bool {
	if len(raw) != len(lower) {
		return false
	}
	for i, c := range raw {
		if c|0x20 != lower[i] {
			return false
		}
	}
	return true
}

func structural(c byte) bool {
	switch c {
	case ',', ':', '"', '{', '}', '[', ']', ' ', '\t', '\n', '\r':
		return true
	}
	return false
}

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
