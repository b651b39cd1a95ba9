package registry

import (
	"strings"
	"unicode/utf8"
)

// maxTopic is the longest topic or filter of MQTT in bytes.
const maxTopic = 65535

// validFilter reports whether s is a topic filter: + and # stand for whole levels, # only for the last.
func validFilter(s string) bool {
	if !validTopicText(s) {
		return false
	}
	for {
		level, rest, more := strings.Cut(s, "/")
		if strings.ContainsAny(level, "+#") && (len(level) != 1 || level == "#" && more) {
			return false
		}
		if !more {
			return true
		}
		s = rest
	}
}

// validTopic reports whether s can be published to.
func validTopic(s string) bool { return validTopicText(s) && !strings.ContainsAny(s, "+#") }

func validTopicText(s string) bool {
	return s != "" && len(s) <= maxTopic && strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}

// covers reports that every topic which matches filter matches grant too; a topic is a filter that matches itself. It errs
// to the side of no: "+/#" covers "#" in truth, and is said not to. As MQTT has it, a wildcard in the first level of a grant
// reaches nothing that begins with $.
func covers(grant, filter string) bool {
	for first := true; ; first = false {
		g, grantRest, grantMore := strings.Cut(grant, "/")
		f, filterRest, filterMore := strings.Cut(filter, "/")
		switch {
		case first && (g == "#" || g == "+") && strings.HasPrefix(f, "$"):
			return false
		case g == "#":
			return true
		case f == "#", g != f && g != "+":
			return false
		case !filterMore:
			return !grantMore || grantRest == "#" // a/# includes a
		case !grantMore:
			return false
		}
		grant, filter = grantRest, filterRest
	}
}

// isShared reports whether a filter is of a shared subscription; brokers differ in whether case counts, so it does not here.
func isShared(filter string) bool {
	level, _, _ := strings.Cut(filter, "/")
	return strings.EqualFold(level, "$share")
}

// unshare gives the filter within $share/{group}/{filter}, and any other as it is; false when it is neither.
func unshare(filter string) (string, bool) {
	if !isShared(filter) {
		return filter, true
	}
	_, rest, _ := strings.Cut(filter, "/")
	group, inner, found := strings.Cut(rest, "/")
	return inner, found && group != "" && inner != "" && !strings.ContainsAny(group, "+#")
}
