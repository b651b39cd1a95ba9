package hub

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// newMetrics is the hub's own registry; parts may register theirs in it.
func newMetrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// registerMetrics adds what is read from each part's Stats at the time of the scrape, so that nothing is counted twice.
func (h *Hub) registerMetrics() {
	h.metrics.MustRegister(newHealthCollector(h.health))
	for _, m := range h.journalMetrics() {
		m.register(h.metrics)
	}
	for _, m := range h.tlsMetrics() {
		m.register(h.metrics)
	}
	for _, m := range h.workerMetrics() {
		m.register(h.metrics)
	}
}

// metric is one value with its name, after Prometheus's naming rules.
type metric struct {
	name, help string
	counter    bool
	value      func() float64
}

func (m metric) register(r *prometheus.Registry) {
	opts := prometheus.Opts{Namespace: "watchhouse", Name: m.name, Help: m.help}
	if m.counter {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts(opts), m.value))
		return
	}
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts(opts), m.value))
}

func (h *Hub) journalMetrics() []metric {
	health := h.journal.Health
	return []metric{
		{"journal_life_up", "1 when life.db can be written.", false, func() float64 { return up(health().Life.Err == nil) }},
		{"journal_bulk_up", "1 when bulk.db can be written.", false, func() float64 { return up(health().Bulk.Err == nil) }},
		{"journal_life_bytes", "Size of life.db.", false, func() float64 { return float64(health().Life.Bytes) }},
		{"journal_bulk_bytes", "Size of bulk.db.", false, func() float64 { return float64(health().Bulk.Bytes) }},
		{"journal_life_used_ratio", "Size of life.db over its cap.", false, func() float64 { return health().Life.UsedRatio }},
		{"journal_bulk_used_ratio", "Size of bulk.db over its cap.", false, func() float64 { return health().Bulk.UsedRatio }},
		{"journal_life_fsync_p99_seconds", "Recent commits of life.db.", false, func() float64 { return health().Life.FsyncP99.Seconds() }},
		{"journal_bulk_fsync_p99_seconds", "Recent commits of bulk.db.", false, func() float64 { return health().Bulk.FsyncP99.Seconds() }},
		{"journal_life_commits_total", "Commits of life.db.", true, func() float64 { return float64(health().Life.Commits) }},
		{"journal_bulk_commits_total", "Commits of bulk.db.", true, func() float64 { return float64(health().Bulk.Commits) }},
	}
}

func (h *Hub) workerMetrics() []metric {
	stats, database := h.broker.Stats, h.ingest.Stats
	return []metric{
		{"mqtt_connections", "Live MQTT connections.", false, func() float64 { return float64(stats().Connections) }},
		{"mqtt_received_total", "PUBLISH packets received.", true, func() float64 { return float64(stats().Received) }},
		{"mqtt_acked_total", "PUBLISH packets acknowledged after their commit.", true, func() float64 { return float64(stats().Acked) }},
		{"mqtt_rejected_total", "Publishes to foreign topics.", true, func() float64 { return float64(stats().Rejected) }},
		{"mqtt_shed_total", "Telemetry refused over a cap.", true, func() float64 { return float64(stats().Shed) }},
		{"mqtt_half_open", "MQTT connections that have not signed in.", false, func() float64 { return float64(stats().HalfOpen) }},
		{"mqtt_strangers_dropped_total", "Connections closed before they signed in, to make room for others.", true, func() float64 { return float64(stats().Dropped) }},
		{"mqtt_slowed_total", "Times a connection was left unread for a moment because its account was beyond its share.", true, func() float64 { return float64(stats().Slowed) }},
		{"mqtt_over_quota_total", "CONNECTs and SUBSCRIBEs refused because the account holds all that it may.", true, func() float64 { return float64(stats().OverQuota) }},
		{"mqtt_auth_failures_total", "Refused CONNECTs.", true, func() float64 { return float64(stats().AuthFail) }},
		{"alerts_lag_messages", "Messages the alert engine has not read.", false, func() float64 { n, _ := h.alerts.Lag(); return float64(n) }},
		{"alerts_lag_seconds", "How far the alert engine is behind the wall.", false, func() float64 { _, d := h.alerts.Lag(); return d.Seconds() }},
		{"alerts_transitions_total", "Number of the ledger's last transition.", true, func() float64 { return float64(h.alerts.View().Seq) }},
		{"ingest_up", "1 when InfluxDB took the last write.", false, func() float64 { return up(database().Up) }},
		{"ingest_written_total", "Points written.", true, func() float64 { return float64(database().Written) }},
		{"ingest_undecodable_total", "Telemetry messages put aside.", true, func() float64 { return float64(database().Undecodable) }},
		{"ingest_retries_total", "Writes tried again.", true, func() float64 { return float64(database().Retries) }},
		{"ingest_lag_messages", "Messages of devices not yet in InfluxDB.", false, func() float64 { return float64(database().LagMessages) }},
		{"ingest_lag_seconds", "How far ingest is behind the wall.", false, func() float64 { return database().Lag.Seconds() }},
	}
}

func up(ok bool) float64 {
	if ok {
		return 1
	}
	return 0
}
