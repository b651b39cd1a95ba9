package scan

const (
	wantName  = "a field name in double quotes"
	wantValue = "a JSON value"
	wantColon = "a colon and a value"
)

// Next steps to the next member or element of a composite that closes with end, and over end when there is none. The error is that
// the payload is cut.
func (s *Scanner) Next(end byte) (more bool, err *FieldError) {
	for {
		switch c := s.Peek(); {
		case s.i >= len(s.p):
			return false, cut(Payload, "a comma or a closing bracket")
		case c == '}' || c == ']':
			if s.i++; c != end {
				s.flawed(Payload, "brackets in pairs", Broken.String())
			}
			return false, nil
		case c != ',':
			return true, nil
		}
		s.i++
	}
}

// Name reads the name of the next member of an object, and its colon; more is false at the object's end.
func (s *Scanner) Name() (name []byte, more bool, err *FieldError) {
	for {
		if more, err = s.Next('}'); err != nil || !more {
			return nil, false, err
		}
		if s.p[s.i] != '"' {
			s.flawed(Payload, wantName, Broken.String())
			s.skip()
			continue
		}
		k := s.str()
		switch {
		case k.Shape == Nothing:
			return nil, false, cut(Payload, wantName)
		case s.Take(':'):
			return k.Raw, true, nil
		case s.i >= len(s.p):
			return nil, false, cut(FieldName(k.Raw), wantColon)
		}
		s.flawed(FieldName(k.Raw), wantColon, Broken.String())
	}
}

// Member reads the next member of the object that the scanner stands in; more is false at its end. The error is that the payload is
// cut, and names the member in which.
func (s *Scanner) Member() (name []byte, v Value, more bool, err *FieldError) {
	if name, more, err = s.Name(); err != nil || !more {
		return nil, v, false, err
	}
	v = s.Value()
	if !s.Settle(&v) {
		return nil, v, false, cut(FieldName(name), wantValue)
	}
	return name, v, true, nil
}

// Settle steps over what stands between a value and the next comma or bracket. Such a value is Broken; after an object or an array it
// is a flaw. It reports false when the payload ends here, which no value in an object or array may.
func (s *Scanner) Settle(v *Value) bool {
	for v.Shape != Nothing {
		switch c := s.Peek(); {
		case s.i >= len(s.p):
			v.Shape = Nothing
		case c == ',' || c == '}' || c == ']' || c == '{' || c == '[' || c == '"' && s.begins():
			return true
		case v.Shape == Object || v.Shape == Array:
			s.flawed(Payload, "a comma or a closing bracket", Broken.String())
			s.skip()
		default:
			v.Shape = Broken
			s.skip()
		}
	}
	return false
}

// begins reports whether a member or an element begins with the string that is next: a comma is missing before it.
func (s *Scanner) begins() bool {
	at := s.i
	s.str()
	c := s.Peek()
	s.i = at
	return c == ':' || c == ']' || c == ','
}

// skip steps over the next thing, whatever it is.
func (s *Scanner) skip() {
	switch s.p[s.i] {
	case '"':
		s.str()
	case '{', '[':
		s.composite(Object)
	default:
		s.i++
		for s.i < len(s.p) && !structural(s.p[s.i]) {
			s.i++
		}
	}
}
