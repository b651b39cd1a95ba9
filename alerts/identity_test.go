package alerts

import (
	"fmt"
	"testing"
	"time"
)

// loraFrame is one LoRaWAN frame of the button w as its network server tells it.
func loraFrame(dedup string, counter int, at time.Time) string {
	return fmt.Sprintf(`{"deduplicationId":%q,"time":%q,"devAddr":"00189440","fCnt":%d,"object":{"button_event":{"status":"short press"}}}`,
		dedup, at.UTC().Format(time.RFC3339Nano), counter)
}

// TestOneFrameUnderSeveralIdentities: whichever of its identities is known, it is the same press; a counter that has begun again is not.
func TestOneFrameUnderSeveralIdentities(t *testing.T) {
	at := time.UnixMilli(t0 - 1000)
	for _, c := range []struct {
		name   string
		frames []string
		want   int
	}{
		{"heard by two gateways too far apart in time", []string{loraFrame("a1", 7, at), loraFrame("a2", 7, at.Add(time.Second))}, 1},
		{"and sent again under the first", []string{loraFrame("a1", 7, at), loraFrame("a2", 7, at), loraFrame("a1", 7, at)}, 1},
		{"the next frame", []string{loraFrame("a1", 7, at), loraFrame("a2", 8, at.Add(time.Second))}, 2},
		{"a counter that began again", []string{loraFrame("a1", 7, at.Add(-time.Hour)), loraFrame("a2", 7, at)}, 2},
		{"no counter, as frames of a server that leaves it out", []string{
			`{"deduplicationId":"a1","devAddr":"00189440","object":{"press":"short"}}`,
			`{"deduplicationId":"a2","devAddr":"00189440","object":{"press":"short"}}`,
		}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newDesk(t)
			k.world.withSpeakers()
			for _, f := range c.frames {
				k.bridge(upOfW, f, false)
			}
			if n := k.one("w").Occurrences; n != c.want {
				t.Errorf("%d presses, want %d", n, c.want)
			}
		})
	}
}

// TestAnIdentityWithoutTime holds for ten minutes after its first receipt: a button without a clock, whose counters begin again
// with a new battery, is heard.
func TestAnIdentityWithoutTime(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  string
		second string
		after  time.Duration
		want   int
	}{
		{"within ten minutes", sos, sos, 10 * time.Minute, 1},
		{"later", sos, sos, 10*time.Minute + time.Millisecond, 2},
		{"a clock that was never set", sosAt(5_000), sosAt(5_000), 11 * time.Minute, 2},
		{"one that was never set, at once", sosAt(5_000), sosAt(5_000), time.Minute, 1},
		{"time in one of them only", sos, sosAt(t0), 11 * time.Minute, 2},
		{"with a time, days later", sosAt(t0), sosAt(t0), 6 * 24 * time.Hour, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := newDesk(t)
			k.event("b1", c.first)
			k.sleep(c.after)
			k.event("b1", c.second)
			if n := k.one("b1").Occurrences; n != c.want {
				t.Errorf("%d presses, want %d", n, c.want)
			}
			k.event("b1", c.second)
			if n := k.one("b1").Occurrences; n != c.want {
				t.Errorf("%d presses after it was sent once more, want %d", n, c.want)
			}
		})
	}
}

// TestTenMinutesBeginWithTheReceipt: what waits before it is decided on, as after a restart, is judged by when it came.
func TestTenMinutesBeginWithTheReceipt(t *testing.T) {
	k := newDesk(t)
	first := k.message("wh/v1/b1/event", sos)
	k.sleep(11 * time.Minute)
	second := k.message("wh/v1/b1/event", sos)
	k.receive(first)
	k.receive(second)
	if n := k.one("b1").Occurrences; n != 2 {
		t.Errorf("%d presses, want 2", n)
	}
}
