package live_test

import (
	"fmt"
	"testing"
	"time"

	"watchhouse/registry"
)

// BenchmarkProjection takes over telemetry of 500 devices; ten thousand messages a second must cost a small part of a core.
func BenchmarkProjection(b *testing.B) {
	var ds []registry.Device
	for i := range 500 {
		ds = append(ds, button(deviceID(i)))
	}
	w := newWorld(ds...)
	w.cfg.CatchUp = 1 << 30
	for i := range b.N {
		id := deviceID(i % 500)
		w.telemetry(id, fmt.Sprintf(`{"ts":1763888888123,"seq":%d,"battery_pct":%d,"rssi_dbm":-91}`, i, i%100), int64(i+1))
	}
	b.ReportAllocs()
	b.ResetTimer()
	p, stop := w.begin(b)
	last := deviceID((b.N - 1) % 500)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if s, _ := p.Get(last); s.LastSeen == int64(b.N) {
			break
		}
		if time.Now().After(deadline) {
			b.Fatal("not caught up in a minute")
		}
	}
	b.StopTimer()
	stop()
}
