package hub

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"watchhouse/dashboard"
)

// healthCodes are the stable ones: each has a sample also while it is 0, so that an alert can be written before it is needed.
func healthCodes() []string {
	return []string{
		"alerts", "alerts_lag", "broker", "bulk_space", "influxdb", "journal_bulk", "journal_gap", "journal_life", "life_space",
		"reserve", "slow_disk", "tls",
	}
}

// healthCollector exports the hub's health as Prometheus metrics, asked anew at each scrape.
type healthCollector struct {
	health          func() dashboard.Health
	ready, degraded *prometheus.Desc
}

func newHealthCollector(health func() dashboard.Health) *healthCollector {
	return &healthCollector{
		health:   health,
		ready:    prometheus.NewDesc("watchhouse_ready", "1 when a press sent now would be kept and decided, as /readyz.", nil, nil),
		degraded: prometheus.NewDesc("watchhouse_degraded", "1 when this is out of order, by the codes of /readyz.", []string{"reason"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *healthCollector) Describe(out chan<- *prometheus.Desc) {
	out <- c.ready
	out <- c.degraded
}

// Collect implements prometheus.Collector.
func (c *healthCollector) Collect(out chan<- prometheus.Metric) {
	state := c.health()
	out <- prometheus.MustNewConstMetric(c.ready, prometheus.GaugeValue, up(state.Ready))
	now := state.Codes()
	codes := append(healthCodes(), now...)
	slices.Sort(codes)
	for _, code := range slices.Compact(codes) {
		out <- prometheus.MustNewConstMetric(c.degraded, prometheus.GaugeValue, up(slices.Contains(now, code)), code)
	}
}
