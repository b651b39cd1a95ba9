package profile

import (
	"maps"
	"slices"
	"strings"
	"unicode"
)

// suspect looks for a press in fields that the model does not know, when those that it knows said nothing: rather a call too many
// than one that nobody sees.
func (x *extract) suspect(body map[string]any) {
	if !x.Model.helps || x.stranger {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(body)) {
		if !x.Model.named[name] && suspicious(name, body[name]) {
			x.unread(fault(nameOf(name), "a field of the model", "one that looks like a call"))
			return
		}
	}
}

var (
	// pressWords in a name mean that somebody has pressed something, if the value is anything but no.
	pressWords = words([]string{"sos", "emergency", "panic", "help", "fall", "fell", "press", "pressed", "button", "call", "click"})
	// alarmWords can stand for much: only a clear yes counts.
	alarmWords = words([]string{"alarm", "smoke", "fire", "heat", "burning"})
	// asideWords make of both something else: a setting, a count, a supply.
	asideWords = words([]string{
		"time", "at", "interval", "enable", "enabled", "config", "configuration", "setting", "settings", "threshold", "count", "counter", "total",
		"duration", "delay", "version", "mode", "rate", "group", "volume", "sensitivity", "battery", "low", "supported", "lock", "tamper", "test",
		"index", "level", "density", "temperature", "humidity", "voltage", "release", "report", "melody", "type", "name",
	})
	noWords  = words([]string{"", "0", "false", "off", "no", "none", "normal", "idle", "ok", "null", "released", "inactive", "clear", "unknown"})
	yesWords = words([]string{"1", "true", "on", "yes", "alarm", "fire", "smoke", "triggered", "detected", "active"})
)

func suspicious(name string, v any) bool {
	press, alarm := false, false
	for _, w := range nameWords(name) {
		switch {
		case asideWords[w]:
			return false
		case pressWords[w]:
			press = true
		case alarmWords[w]:
			alarm = true
		}
	}
	w, isWord := word(v)
	switch {
	case press && isWord:
		return !noWords[w]
	case press:
		return v != nil
	}
	return alarm && isWord && yesWords[w]
}

// nameWords splits a name at its separators and capitals: button_event, buttonEvent, SOS-Button.
func nameWords(name string) []string {
	var b strings.Builder
	lower := false
	for _, r := range name[:min(len(name), maxWord)] {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && lower:
			b.WriteByte(' ')
		}
		lower = unicode.IsLower(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.Fields(b.String())
}
