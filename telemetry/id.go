package telemetry

// maxID is the longest id, kind, metric name and event type in bytes.
const maxID = 64

// ValidID reports whether s is a device id: [A-Za-z0-9][A-Za-z0-9_-]{0,63}.
func ValidID(s string) bool {
	if s == "" || len(s) > maxID || !alphanumeric(s[0]) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if c := s[i]; !alphanumeric(c) && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool { return letter(c) || digit(c) }

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }
