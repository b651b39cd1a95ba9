package profile

import (
	"slices"
	"strings"
)

// The place of the address in a topic pattern: one level, or one and more.
const (
	addressLevel  = "{address}"
	addressLevels = "{address...}"
)

// pattern matches topics level by level. Each + stands for one level.
type pattern struct {
	before, after []string // levels on either side of the address
	address       string   // addressLevel, addressLevels, or "" when the sender is meant
}

func compilePattern(s string) pattern {
	levels := strings.Split(s, "/")
	at := slices.IndexFunc(levels, func(l string) bool { return l == addressLevel || l == addressLevels })
	if at < 0 {
		return pattern{before: levels}
	}
	return pattern{before: levels[:at], after: levels[at+1:], address: levels[at]}
}

// match gives the address that a topic names.
func (p *pattern) match(topic string) (address string, ok bool) {
	rest, ok := cutLevels(topic, p.before)
	switch {
	case !ok:
		return "", false
	case p.address == "":
		return "", rest == ""
	case rest == "":
		return "", false
	}
	address = rest[1:] // after the slash
	for i := range p.after {
		want := p.after[len(p.after)-1-i]
		cut := strings.LastIndexByte(address, '/')
		if cut < 0 || !levelMatches(want, address[cut+1:]) {
			return "", false
		}
		address = address[:cut]
	}
	if address == "" || p.address == addressLevel && strings.Contains(address, "/") {
		return "", false
	}
	return address, true
}

// cutLevels takes levels off the front of a topic; rest begins with a slash or is empty.
func cutLevels(topic string, levels []string) (rest string, ok bool) {
	rest = "/" + topic
	for _, want := range levels {
		if rest == "" {
			return "", false
		}
		level, _, _ := strings.Cut(rest[1:], "/")
		if !levelMatches(want, level) {
			return "", false
		}
		rest = rest[1+len(level):]
	}
	return rest, true
}

func levelMatches(want, level string) bool { return want == "+" || want == level }

// faultOf says what is wrong with a pattern, "" for nothing.
func faultOf(s string) string {
	levels := strings.Split(s, "/")
	addresses := 0
	for _, l := range levels {
		switch {
		case l == addressLevel || l == addressLevels:
			addresses++
		case l == "+":
		case l == "" || strings.ContainsAny(l, "+#{}\x00"):
			return "want levels of plain text, +, " + addressLevel + " or " + addressLevels
		}
	}
	switch {
	case levels[0] == "wh" || levels[0] == "+" || strings.HasPrefix(levels[0], "$") || strings.HasPrefix(levels[0], "{"):
		return "want a topic whose first level is fixed and is neither wh nor begins with $"
	case addresses > 1:
		return "want at most one address"
	}
	return ""
}
