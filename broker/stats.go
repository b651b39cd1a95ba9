package broker

import "sync/atomic"

// Stats of the broker: counters since New, except Connections, Sessions and InFlightBytes, which are gauges.
type Stats struct {
	Connections int64 // accepted and not closed yet
	Sessions    int64 // of these, signed in

	Received uint64 // PUBLISH packets decoded, whatever became of them
	Acked    uint64 // PUBACK and PUBREC of committed messages, handed to the connection's writer
	Rejected uint64 // kept in the rejects stream instead of a lane
	Shed     uint64 // telemetry refused over a cap or while bulk is out of order
	AuthFail uint64
	TLSFail  uint64 // handshakes on the TLS listener that came to nothing

	HalfOpen     int64  // connections that have not signed in, a gauge
	Dropped      uint64 // of these, closed to make room
	Slowed       uint64 // times a connection rested because its account was beyond its share
	OverQuota    uint64 // CONNECTs and SUBSCRIBEs refused because the account holds all that it may
	JournalFail  uint64 // connections closed because life would not take a message
	Panics       uint64 // contained, each cost one connection
	AcceptErrors uint64
	FanoutDrops  uint64 // messages that a slow subscriber, or the fan-out itself, did not get
	Wills        uint64

	InFlightBytes int64 // telemetry handed to the journal and not committed yet
}

// counters are the live form of Stats.
type counters struct {
	connections, sessions                            atomic.Int64
	lanes                                            [laneCount]laneLoad
	received, acked, rejected, shed, authFail        atomic.Uint64
	committed                                        atomic.Uint64 // telemetry only
	journalFail, panics, accepts, fanoutDrops, wills atomic.Uint64
	handshakes                                       atomic.Uint64 // failed
	slowed, overQuota                                atomic.Uint64
}

// Stats are counters for /metrics.
func (b *Broker) Stats() Stats {
	n := &b.count
	return Stats{
		Connections:   n.connections.Load(),
		Sessions:      n.sessions.Load(),
		Received:      n.received.Load(),
		Acked:         n.acked.Load(),
		Rejected:      n.rejected.Load(),
		Shed:          n.shed.Load(),
		AuthFail:      n.authFail.Load(),
		TLSFail:       n.handshakes.Load(),
		HalfOpen:      int64(b.door.halfOpen()),
		Dropped:       b.door.dropped.Load(),
		Slowed:        n.slowed.Load(),
		OverQuota:     n.overQuota.Load(),
		JournalFail:   n.journalFail.Load(),
		Panics:        n.panics.Load(),
		AcceptErrors:  n.accepts.Load(),
		FanoutDrops:   n.fanoutDrops.Load(),
		Wills:         n.wills.Load(),
		InFlightBytes: n.lanes[telemetryLane].bytes.Load(),
	}
}
