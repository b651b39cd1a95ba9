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
	switch fault.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return judgeLines(fault)
	case http.StatusRequestEntityTooLarge:
		return answer{verdict: tooLarge, reason: "too large for the server", dropped: -1}
	}
	return answer{
		verdict: later, wait: time.Duration(fault.RetryAfter) * time.Second,
		reason: fmt.Sprintf("status %d: %s", fault.StatusCode, brief(fault.Message)),
	}
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
	if at := strings.LastIndex(fault.Message, "dropped="); at >= 0 {
		if n, err := strconv.Atoi(strings.TrimSpace(fault.Message[at+len("dropped="):])); err == nil {
			a.dropped = n
		}
	}
	return a
}

// knownRefusal tells a server's complaint about lines from other bad requests.
func knownRefusal(fault *influxhttp.Error) bool {
	if fault.StatusCode == http.StatusUnprocessableEntity {
		return true
	}
	for _, text := range []string{"partial write", "unable to parse", "field type conflict", "retention policy"} {
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
