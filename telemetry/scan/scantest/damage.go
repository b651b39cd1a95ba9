// Package scantest holds what devices, modems and bridges do to JSON, for the tests of every reader of payloads.
package scantest

// Members are members of an object that are damaged, or that JSON does not know. Each spoils at most itself.
var Members = map[string]string{
	"NaN":                    `"x":NaN`,
	"nan with a sign":        `"x":-nan`,
	"nan of glibc":           `"x":-nan(0x8000)`,
	"Infinity":               `"x":-Infinity`,
	"inf":                    `"x":inf`,
	"nan of Windows":         `"x":-1.#IND`,
	"stars of Fortran":       `"x":****`,
	"Python's booleans":      `"x":True,"y":None`,
	"undefined":              `"x":undefined`,
	"no value":               `"x":`,
	"a bare point":           `"x":.5`,
	"an open point":          `"x":5.`,
	"octal":                  `"x":012`,
	"hexadecimal":            `"x":0x1F`,
	"a unit":                 `"x":12 kg`,
	"beyond float64":         `"x":1e999`,
	"decimal comma":          `"x":1,5`,
	"empty member":           `,,`,
	"no colon":               `"x" 5`,
	"GBK text":               "\"x\":\"\xb1\xb1\xc3\xc5\"",
	"GBK with a backslash":   "\"x\":\"\xd5\x5c\"",
	"GBK name":               "\"\xce\xc2\xb6\xc8\":21",
	"half a character":       "\"x\":\"\xe5\x8c\"",
	"a surrogate in bytes":   "\"x\":\"\xed\xa0\x80\"",
	"lone surrogate":         `"x":"\ud800"`,
	"lone low surrogate":     `"x":"\udc00\ud83d"`,
	"bad escape":             `"x":"C:\windows\q"`,
	"a raw line break":       "\"x\":\"a\r\nb\"",
	"a raw NUL":              "\"x\":\"a\x00b\"",
	"twice":                  `"x":1,"x":2`,
	"twice, also nested":     `"x":{"a":1,"a":2},"x":[1]`,
	"broken inside":          `"x":{"a":NaN,"b":[1,,NaN,]}`,
	"brackets mixed up":      `"x":[1,2}`,
	"an unknown field":       `"x":{"y":[{"z":"}]"}]}`,
	"something of the field": `"x":{"type":"test","online":false,"id":"other"}`,
}

// Around are what stands before and after a payload; none says anything.
var Around = map[string][2]string{
	"byte order mark": {"\xef\xbb\xbf", ""},
	"mark at the end": {"", "\xef\xbb\xbf"},
	"Ctrl-Z":          {"", "\x1a"},
	"CR LF":           {"\r\n", "\r\n"},
	"CR LF, Ctrl-Z":   {"", "\r\n\x1a\r\n"},
	"NUL":             {"", "\x00"},
	"a C buffer":      {"", "\x00\"battery\":88}"},
	"NULs":            {"\x00\x00", "\x00\x00\x00\x00"},
	"erased flash":    {"", "\xff\xff\xff\xff"},
	"blanks":          {"\t  ", "    \n\n"},
	"escape, delete":  {"\x1b", "\x7f\x04"},
}

// Everywhere gives an object of sound members with the damage before, between and behind them, and in what may stand around it.
func Everywhere(sound ...string) map[string][]byte {
	whole := object(sound...)
	all := map[string][]byte{"UTF-16": utf16le(whole)}
	for name, around := range Around {
		all[name] = []byte(around[0] + whole + around[1])
	}
	for name, member := range Members {
		for at := 0; at <= len(sound); at++ {
			members := append(append(append([]string{}, sound[:at]...), member), sound[at:]...)
			all[name+" at "+string(rune('0'+at))] = []byte(object(members...))
		}
	}
	return all
}

func object(members ...string) string {
	text := "{"
	for i, m := range members {
		if i > 0 {
			text += ","
		}
		text += m
	}
	return text + "}"
}

func utf16le(s string) []byte {
	out := []byte{0xff, 0xfe}
	for i := range len(s) {
		out = append(out, s[i], 0)
	}
	return out
}
