package ingest

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
)

// verdict is what an answer means for the points of a request.
type verdict int

const (
	accepted verdict = iota
	refused          // lines are at fault, and the server says so in words that are known
	doubtful         // a 400 in other words: perhaps a line, perhaps a proxy
	tooLarge
	later // the points are not at fault: keep them and try again
)

// answer is a judged response.
type answer struct {
	verdict verdict
	reason  string
	hint    string        // what a maintainer can do about later, without the server's own words
	wait    time.Duration // the server's wish, for later
	field   string        // the field whose type conflicts, for refused
	dropped int           // points not stored by the server's count, -1 when it does not say
}

// judge reads the error of a write; nil is accepted.
func judge(err error) answer {
	if err == nil {
		return answer{verdict: accepted}
	}
	fault := (*influxhttp.Error)(nil)
	if !errors.As(err, &fault) || fault.StatusCode == 0 {
		return answer{verdict: later, reason: err.Error()}
	}
	switch {
	case fault.StatusCode == http.StatusBadRequest, fault.StatusCode == http.StatusUnprocessableEntity, partialWrite(fault):
		return judgeLines(fault)
	case fault.StatusCode == http.StatusRequestEntityTooLarge:
		return answer{verdict: tooLarge, reason: "too large for the server", dropped: -1}
	}
	return answer{
		verdict: later, wait: time.Duration(fault.RetryAfter) * time.Second, hint: hintOf(fault.StatusCode),
		reason: fmt.Sprintf("status %d: %s", fault.StatusCode, brief(fault.Message)),
	}
}

// partialWrite reports whether a server's own failure is in truth a complaint about points, the others of which it has stored:
// InfluxDB 2 answers 500 for some. Without a count it may be the storage that failed for a while.
func partialWrite(fault *influxhttp.Error) bool {
	return strings.Contains(fault.Message, "field type conflict") || strings.Contains(fault.Message, "partial write") && droppedOf(fault.Message) >= 0
}

// hintOf says what to do about an answer that is about none of the points.
func hintOf(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "the token is refused: give ingest one that may write the bucket"
	case http.StatusNotFound:
		return "the bucket (or database) or its organisation does not exist: create it"
	}
	return ""
}

// judgeLines reads a 400 or 422. The text may quote lines: it goes to the dead letter, never to a log.
func judgeLines(fault *influxhttp.Error) answer {
	a := answer{verdict: refused, reason: brief(fault.Message), dropped: -1}
	if !knownRefusal(fault) {
		a.verdict, a.reason = doubtful, fmt.Sprintf("status %d for a reason that is not known", fault.StatusCode)
		return a
	}
	if _, rest, ok := strings.Cut(fault.Message, `field type conflict: input field "`); ok {
		a.field, _, _ = strings.Cut(rest, `"`)
	}
	a.dropped = droppedOf(fault.Message)
	return a
}

// droppedOf reads the count in "… dropped=3 for database …", -1 without one.
func droppedOf(message string) int {
	at := strings.LastIndex(message, "dropped=")
	if at < 0 {
		return -1
	}
	digits := message[at+len("dropped="):]
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return -1
	}
	return n
}

// knownRefusal tells a server's complaint about lines from other bad requests.
func knownRefusal(fault *influxhttp.Error) bool {
	if fault.StatusCode == http.StatusUnprocessableEntity {
		return true
	}
	for _, text := range []string{"partial write", "unable to parse", "field type conflict", "retention policy", "limit exceeded"} {
		if strings.Contains(fault.Message, text) {
			return true
		}
	}
	return false
}

// brief keeps a server's text short.
func brief(s string) string {
	const most = 300
	return strings.ToValidUTF8(s[:min(len(s), most)], "")
}
