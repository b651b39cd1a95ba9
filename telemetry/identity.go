package telemetry

import "strconv"

// identity is the dedupe key of a message, "" when it has none (package comment).
func identity(device string, ts *int64, boot, seq *uint32) string {
	if seq == nil {
		return ""
	}
	b := make([]byte, 0, len(device)+32)
	b = append(b, device...)
	switch {
	case boot != nil:
		b = append(b, "/b"...)
		b = strconv.AppendUint(b, uint64(*boot), 10)
		b = append(b, "/s"...)
		b = strconv.AppendUint(b, uint64(*seq), 10)
	case ts != nil && *ts >= EarliestMS:
		b = append(b, "/s"...)
		b = strconv.AppendUint(b, uint64(*seq), 10)
		b = append(b, "/t"...)
		b = strconv.AppendInt(b, *ts, 10)
	default:
		return ""
	}
	return string(b)
}
