package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

// BenchmarkAppend is one message per appender at a time: what MQTT clients that wait for each PUBACK see.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 8, 64, 512} {
		b.Run(fmt.Sprintf("appenders=%d", n), func(b *testing.B) {
			j := openTest(b, testConfig(b))
			l := j.Lane(TelemetryLane)
			b.ResetTimer()
			start := time.Now()
			var wg sync.WaitGroup
			for w := range n {
				wg.Go(func() {
					for i := w; i < b.N; i += n {
						if _, err := l.Append(context.Background(), press(i)); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msg/s")
			reportHealth(b, j.Health().Bulk)
		})
	}
}

// BenchmarkSubmit keeps a window of messages on their way: what pipelining clients see.
func BenchmarkSubmit(b *testing.B) {
	j := openTest(b, testConfig(b))
	l := j.Lane(TelemetryLane)
	window := make(chan struct{}, 8192)
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	for i := range b.N {
		window <- struct{}{}
		if err := l.Submit(press(i), func(Receipt, error) { <-window }); err != nil {
			b.Fatal(err)
		}
	}
	for range cap(window) {
		window <- struct{}{}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "msg/s")
	reportHealth(b, j.Health().Bulk)
}

// BenchmarkLoneAppend is one press at a time on the event lane, with the telemetry lane at rest and saturated.
func BenchmarkLoneAppend(b *testing.B) {
	for _, busy := range []bool{false, true} {
		b.Run(fmt.Sprintf("bulk_saturated=%t", busy), func(b *testing.B) {
			j := openTest(b, testConfig(b))
			stop := make(chan struct{})
			var wg sync.WaitGroup
			if busy {
				wg.Go(func() { saturate(b, j.Lane(TelemetryLane), stop) })
			}
			var took []time.Duration
			for i := 0; b.Loop(); i++ {
				start := time.Now()
				if _, err := j.Lane(EventLane).Append(context.Background(), press(i)); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			close(stop)
			wg.Wait()
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
			reportHealth(b, j.Health().Life)
		})
	}
}

// saturate keeps 4096 messages on their way in a lane until told to stop.
func saturate(tb testing.TB, l *Lane, stop <-chan struct{}) {
	window := make(chan struct{}, 4096)
	for i := 0; ; i++ {
		select {
		case <-stop:
			for range cap(window) {
				window <- struct{}{}
			}
			return
		case window <- struct{}{}:
		}
		if err := l.Submit(press(i), func(Receipt, error) { <-window }); err != nil {
			tb.Error(err)
			<-window
		}
	}
}

func reportHealth(b *testing.B, h FileHealth) {
	b.ReportMetric(float64(h.FsyncP50.Microseconds()), "fsync-p50-µs")
	b.ReportMetric(float64(h.FsyncP99.Microseconds()), "fsync-p99-µs")
	b.ReportMetric(float64(h.Commits), "commits")
}
