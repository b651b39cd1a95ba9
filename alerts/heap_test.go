package alerts

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"watchhouse/registry"
	"watchhouse/telemetry"
)

// TestNothingKeepsTheFrames: what the engine remembers of presses, their devices, conditions, identities and receipts, is some
// kilobytes each and not the frames they came in, with everybody's payloads.
func TestNothingKeepsTheFrames(t *testing.T) {
	const presses, size = 1200, 15 << 10
	w := newWorld()
	for n := range presses {
		id := fmt.Sprintf("n%d", n)
		w.devices[id] = registry.Device{ID: id, Kind: telemetry.EmergencyButton, Area: "a1"}
	}
	p := &realPlant{tb: t, dir: t.TempDir(), world: benchWorld{w, registry.NewLocator(w.catalog, w.Devices())}}
	p.start(0, false)
	p.press("b1", sos)
	eventually(t, func() string { return p.shown(1) })
	before := heapInUse()
	padding := strings.Repeat("x", size)
	var senders sync.WaitGroup
	for first := range 8 {
		senders.Go(func() {
			for n := first; n < presses; n += 8 {
				p.press(fmt.Sprintf("n%d", n), fmt.Sprintf(`{"type":"sos","boot":1,"seq":%d,"note":%q}`, n, padding))
			}
		})
	}
	senders.Wait()
	eventually(t, func() string { return p.shown(1 + presses) })
	const journalCache, perPress = 5 << 20, 8 << 10
	kept := int64(heapInUse()) - int64(before)
	if kept > journalCache+presses*perPress {
		t.Errorf("%d KiB are kept after %d presses of %d KiB", kept>>10, presses, size>>10)
	}
	p.stop()
}

func (p *realPlant) shown(n int) string {
	if got := len(p.engine.View().Incidents); got != n {
		return fmt.Sprintf("%d incidents, want %d", got, n)
	}
	return ""
}
