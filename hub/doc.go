// Package hub is the one place that wires the parts of Watchhouse into a running program.
//
//	devices ── MQTT ──► broker ──Submit──► journal ──┬─► ingest ──► InfluxDB          1 reader
//	                      ▲                          ├─► alerts ──► ledger            1 writer, 3 lane readers
//	                      └──────── receipts ◄───────┤      │
//	                                                 └──────┴─► dashboard ─► page     1 projection, n streams
//
// New acquires everything in the order journal, registry, alerts, ingest, dashboard, broker, HTTP and binds both listeners; Start begins
// to serve; Stop undoes it in the reverse order, each part within its own limit, the journal last. A part that ends by itself is a failure
// of the hub and arrives at Failed.
//
// Concurrency: New, Start and Stop are for one goroutine; Stop is idempotent. Every goroutine is owned by the lifecycle.
//
// Errors: New gives journal.ErrInUse, journal.ErrNewer or journal.ErrDamaged when the data folder cannot be opened; a bulk.db out of order
// or an InfluxDB that does not answer is no error, it shows in /metrics and /readyz.
package hub
