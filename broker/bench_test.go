package broker

import (
	"fmt"
	"io"
	"strconv"
	"sync"
	"testing"
	"time"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

// BenchmarkPublishQoS1 measures acknowledged, synced QoS 1 telemetry through real sockets, the generator in the same process.
func BenchmarkPublishQoS1(b *testing.B) {
	for _, clients := range []int{1, 500} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			h, window := benchHouse(b, clients), 100
			if clients == 1 {
				window = telemetryWindow
			}
			loads := make([]*load, clients)
			for i := range loads {
				loads[i] = newLoad(h, "bench-"+strconv.Itoa(i), window/4)
			}
			b.ReportAllocs()
			b.ResetTimer()
			began := time.Now()
			var all sync.WaitGroup
			for i, l := range loads {
				n := b.N / clients
				if i < b.N%clients {
					n++
				}
				all.Go(func() { l.run(n, window) })
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "msg/s")
			b.ReportMetric(float64(h.Stats().Shed), "shed")
			b.ReportMetric(float64(h.journal.Health().Bulk.FsyncP99.Microseconds()), "fsync-p99-µs")
		})
	}
}

// BenchmarkPublishQoS1Alone is the round trip of a lone event.
func BenchmarkPublishQoS1Alone(b *testing.B) {
	h := benchHouse(b, 1)
	c := h.join(hello{user: "bench-0"})
	p := c.publishPacket(pub{topic: "wh/v1/bench-0/event", payload: `{"type":"sos"}`, qos: 1, id: 1})
	for b.Loop() {
		c.write(p)
		c.expect(typePuback)
	}
}

func benchHouse(b *testing.B, clients int) *house {
	h := open(b, b.TempDir(), nil)
	for i := range clients {
		h.people.add("bench-"+strconv.Itoa(i), telemetry.SortingPoint)
	}
	h.direct()
	return h
}

// direct takes the taps off the lanes.
func (h *house) direct() {
	h.stores.event = h.journal.Lane(journal.EventLane)
	h.stores.telemetry = h.journal.Lane(journal.TelemetryLane)
}

// load keeps a window of PUBLISH packets in flight; packets of a burst leave in one write.
type load struct {
	h     *house
	w     *wire
	burst []byte
	n     int
}

func newLoad(h *house, id string, burst int) *load {
	l := &load{h: h, w: h.join(hello{user: id}), n: burst}
	for i := range burst {
		p := pub{topic: "wh/v1/" + id + "/telemetry", payload: `{"ts":1763888888123,"seq":12,"battery_pct":87,"rssi_dbm":-91}`, qos: 1, id: uint16(i + 1)}
		l.burst = append(l.burst, l.w.publishPacket(p)...)
	}
	return l
}

func (l *load) run(total, window int) {
	room := make(chan struct{}, window/l.n)
	one := len(l.burst) / l.n
	go func() {
		for sent := 0; sent < total; sent += l.n {
			room <- struct{}{}
			l.w.write(l.burst[:min(l.n, total-sent)*one])
		}
	}()
	acks := make([]byte, 4*l.n)
	for got := 0; got < total; got += l.n {
		if _, err := io.ReadFull(l.w.nc, acks[:4*min(l.n, total-got)]); err != nil {
			panic(fmt.Sprint(err, l.h.Stats(), l.h.log.String()[max(0, len(l.h.log.String())-3000):]))
		}
		<-room
	}
}
