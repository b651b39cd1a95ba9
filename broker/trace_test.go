package broker

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The kernel's view of the first promise: after a PUBLISH was read, the journal is written and synced before the PUBACK is
// written to the socket.
func TestSyncComesBeforePuback(t *testing.T) {
	strace := tool(t, "strace", "strace")
	trace := filepath.Join(t.TempDir(), "trace")
	c := spawn(t, t.TempDir(), strace, "-f", "-s", "64", "-o", trace, "-e", "trace=read,write,writev,sendto,pwrite64,fsync,fdatasync")
	w := dial(t, c.addr)
	w.connect(hello{user: "btn-1"})
	const n = 40
	for id := uint16(1); id <= n; id++ {
		w.publish(pub{topic: "wh/v1/btn-1/" + [2]string{"event", "telemetry"}[id%2], payload: "{}", qos: 1, id: id})
		w.expectAck(typePuback, id, 0)
	}
	c.end()
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	acks, err := checkTrace(string(raw))
	if err != nil || acks != n {
		t.Errorf("%d acks found in the trace, want %d: %v", acks, n, err)
	}
}

// A lone QoS 1 PUBLISH as strace prints it begins with the digit two; PUBACK is four bytes that begin with an at sign.
var (
	readsPublish = regexp.MustCompile(`"2.*wh/v1/btn-1/`)
	writesPuback = regexp.MustCompile(`(?:write|sendto|writev)\(\d+, "@\\2`)
	syncDone     = regexp.MustCompile(`(?:fsync|fdatasync).*= 0$`)
)

// checkTrace walks a trace and counts the acks; the error names the first that left too early.
func checkTrace(trace string) (acks int, err error) {
	const (
		idle = iota
		received
		written
		synced
	)
	state := idle
	for i, line := range strings.Split(trace, "\n") {
		switch {
		case strings.Contains(line, "read") && readsPublish.MatchString(line):
			state = received
		case strings.Contains(line, "pwrite64(") && state == received:
			state = written
		case syncDone.MatchString(line) && state == written:
			state = synced
		case writesPuback.MatchString(line):
			if acks++; state != synced {
				return acks, fmt.Errorf("line %d: %s", i+1, line)
			}
			state = idle
		}
	}
	if acks == 0 {
		return 0, errors.New("no ack in the trace")
	}
	return acks, nil
}

// The check above can fail.
func TestCheckTraceSeesAnEarlyAck(t *testing.T) {
	const (
		read  = `11 read(9, "2\32\0\21wh/v1/btn-1/event\0\1{}", 256) = 28`
		put   = `12 pwrite64(7, "..."..., 4120, 0) = 4120`
		sync1 = `12 fdatasync(7 <unfinished ...>`
		sync2 = `12 <... fdatasync resumed>) = 0`
		ack   = `13 write(9, "@\2\0\1", 4 <unfinished ...>`
	)
	for _, lines := range [][]string{
		{read, ack}, {read, put, ack}, {read, put, sync1, ack, sync2}, {read, put, sync1, sync2, ack, read, ack}, {read, put, sync2},
	} {
		if n, err := checkTrace(strings.Join(lines, "\n")); err == nil {
			t.Errorf("%d acks passed in\n%s", n, strings.Join(lines, "\n"))
		}
	}
	if _, err := checkTrace(strings.Join([]string{read, put, sync1, sync2, ack}, "\n")); err != nil {
		t.Error(err)
	}
}
