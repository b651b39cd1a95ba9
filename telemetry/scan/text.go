package scan

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text is the text of a string. wrong says what was found instead: another shape, bytes that are not UTF-8, or an escape that is none.
func (v Value) Text() (text, wrong string) {
	switch {
	case v.Shape != String:
		return "", v.Shape.String()
	case !utf8.Valid(v.Raw):
		return "", GotNotUTF8
	case bytes.IndexByte(v.Raw, '\\') < 0:
		return string(v.Raw), ""
	}
	text, ok := unescape(v.Raw)
	if !ok {
		return "", Broken.String()
	}
	return text, ""
}

func unescape(raw []byte) (string, bool) {
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		if raw[0] != '\\' {
			n := bytes.IndexByte(raw, '\\')
			if n < 0 {
				n = len(raw)
			}
			out, raw = append(out, raw[:n]...), raw[n:]
			continue
		}
		r, size := escape(raw)
		if size == 0 {
			return "", false
		}
		out, raw = utf8.AppendRune(out, r), raw[size:]
	}
	return string(out), true
}

// escape reads the escape that raw begins with; size is 0 when it is none. A surrogate without its other half is U+FFFD.
func escape(raw []byte) (r rune, size int) {
	if len(raw) < 2 {
		return 0, 0
	}
	switch raw[1] {
	case '"', '\\', '/':
		return rune(raw[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	}
	r, ok := unit(raw)
	switch {
	case !ok:
		return 0, 0
	case !utf16.IsSurrogate(r):
		return r, 6
	}
	if low, ok := unit(raw[6:]); ok {
		if whole := utf16.DecodeRune(r, low); whole != utf8.RuneError {
			return whole, 12
		}
	}
	return utf8.RuneError, 6
}

// unit reads a \uXXXX.
func unit(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(raw[2:6]), 16, 32)
	return rune(n), err == nil
}
