package broker

import (
	"testing"
	"time"
)

// A storm of connections passes at the configured rate after its burst; who comes seldom never waits.
func TestPace(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	p := newPace(1000, 100)
	now := start
	for range 5000 { // as the accept loop does: wait, then take the next
		now = now.Add(p.wait(now))
	}
	if took, want := now.Sub(start), 4900*time.Millisecond; took != want {
		t.Errorf("5,000 at once took %v, want %v", took, want)
	}
	for range 200 {
		now = now.Add(10 * time.Millisecond)
		if wait := p.wait(now); wait > 0 {
			now = now.Add(wait)
		}
	}
	now = now.Add(10 * time.Millisecond)
	if wait := p.wait(now); wait != 0 {
		t.Errorf("a hundred a second waited %v, want no wait", wait)
	}
}
