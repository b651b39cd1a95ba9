package profile

import (
	"slices"
	"strings"
)

// The placeholders of a topic pattern.
const (
	addressPart   = "{address}"    // a level, or a part of one
	addressLevels = "{address...}" // one level and more
	fieldLevel    = "{field}"      // a level after it that names the field whose value the payload is
	eventLevel    = "{event}"      // a level after it that names an event, of which the payload tells more
)

// pattern matches topics level by level. Each + stands for one level.
type pattern struct {
	before, after  []string // levels on either side of the address
	address        string   // addressPart, addressLevels, or "" when the topic holds none
	prefix, suffix string   // what stands beside the address in its level
	field          bool     // a level of after names a field
	event          bool     // a level of after names an event
}

func compilePattern(s string) pattern {
	levels := strings.Split(s, "/")
	p := pattern{field: slices.Contains(levels, fieldLevel), event: namesEvent(s)}
	at := slices.IndexFunc(levels, holdsAddress)
	if at < 0 {
		p.before = levels
		return p
	}
	p.before, p.after, p.address = levels[:at], levels[at+1:], levels[at]
	if p.address != addressLevels {
		p.prefix, p.suffix, _ = strings.Cut(p.address, addressPart)
		p.address = addressPart
	}
	return p
}

func namesEvent(pattern string) bool { return slices.Contains(strings.Split(pattern, "/"), eventLevel) }

func holdsAddress(level string) bool {
	return level == addressLevels || strings.Contains(level, addressPart)
}

// match gives the address that a topic names, and the field or event.
func (p *pattern) match(topic string) (address, field string, ok bool) {
	rest, ok := cutLevels(topic, p.before)
	switch {
	case !ok:
		return "", "", false
	case p.address == "":
		return "", "", rest == ""
	case rest == "":
		return "", "", false
	}
	address = rest[1:] // after the slash
	for i := range p.after {
		want := p.after[len(p.after)-1-i]
		cut := strings.LastIndexByte(address, '/')
		switch {
		case cut < 0:
			return "", "", false
		case want == fieldLevel || want == eventLevel:
			field = address[cut+1:]
		case !levelMatches(want, address[cut+1:]):
			return "", "", false
		}
		address = address[:cut]
	}
	if address, ok = p.bare(address); !ok {
		return "", "", false
	}
	return address, field, true
}

// bare takes off what stands beside the address in its level.
func (p *pattern) bare(address string) (string, bool) {
	if p.address == addressPart && strings.Contains(address, "/") || len(address) <= len(p.prefix)+len(p.suffix) {
		return "", false
	}
	rest, before := strings.CutPrefix(address, p.prefix)
	rest, after := strings.CutSuffix(rest, p.suffix)
	return rest, before && after
}

// cutLevels takes levels off the front of a topic; rest begins with a slash or is empty.
func cutLevels(topic string, levels []string) (rest string, ok bool) {
	if len(levels) == 0 {
		return "/" + topic, true
	}
	at := 0 // where the next level begins: beyond the topic when there is none
	for _, want := range levels {
		if at > len(topic) {
			return "", false
		}
		level, _, _ := strings.Cut(topic[at:], "/")
		if !levelMatches(want, level) {
			return "", false
		}
		at += len(level) + 1
	}
	return topic[at-1:], true
}

func levelMatches(want, level string) bool { return want == "+" || want == level }

const wantLevels = "want levels of plain text, +, " + addressPart + " (alone or within a level), " + addressLevels + ", or " + fieldLevel + " or " + eventLevel + " after the address"

// faultOf says what is wrong with a pattern, "" for nothing.
func faultOf(s string) string {
	levels := strings.Split(s, "/")
	addresses, fixed, fields := 0, 0, 0
	for i, l := range levels {
		bare := l
		switch {
		case l == addressLevels:
			bare = ""
		case (l == fieldLevel || l == eventLevel) && addresses == 1:
			fields++
			continue
		case l == "+":
			continue
		case strings.Contains(l, addressPart):
			bare = strings.Replace(l, addressPart, "", 1)
		case l == "" && i > 0:
			return wantLevels
		default:
			fixed += min(len(l), 1)
		}
		if holdsAddress(l) {
			addresses++
		}
		if strings.ContainsAny(bare, "+#{}\x00") {
			return wantLevels
		}
	}
	first := strings.ToLower(levels[0])
	switch {
	case first == "wh" || first == "$share":
		return "want a first level other than wh and $share"
	case fixed == 0:
		return "want at least one level of plain text"
	case addresses > 1 || fields > 1:
		return "want at most one address and one field or event"
	}
	return ""
}
