package stream

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

// audioStates are what a console may say of its sound; anything else counts as unknown.
func audioStates() []string { return []string{"ok", "blocked", "muted"} }

type metrics struct {
	resyncs prometheus.Counter
	painted prometheus.Histogram
	h       *Hub
	clients *prometheus.Desc
	audio   *prometheus.Desc
}

func newMetrics(r prometheus.Registerer, h *Hub) (*metrics, error) {
	m := &metrics{
		h: h,
		resyncs: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "watchhouse_stream_resyncs_total", Help: "Consoles that were too slow and had to resume.",
		}),
		painted: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "watchhouse_stream_seen_seconds", Help: "From an incident's commit to its paint, as the page reports it.",
			Buckets: []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60},
		}),
		clients: prometheus.NewDesc("watchhouse_stream_clients", "Open consoles.", nil, nil),
		audio:   prometheus.NewDesc("watchhouse_stream_audio_clients", "Open consoles by the state of their sound.", []string{"state"}, nil),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.resyncs, m.painted, m} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

// Describe and Collect count the consoles when asked.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { ch <- m.clients; ch <- m.audio }

func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	names := append([]string{"unknown"}, audioStates()...)
	counts := make([]int, len(names))
	m.h.mu.Lock()
	for c := range m.h.clients {
		counts[c.audio.Load()]++
	}
	total := len(m.h.clients)
	m.h.mu.Unlock()
	ch <- prometheus.MustNewConstMetric(m.clients, prometheus.GaugeValue, float64(total))
	for i, name := range names {
		ch <- prometheus.MustNewConstMetric(m.audio, prometheus.GaugeValue, float64(counts[i]), name)
	}
}
