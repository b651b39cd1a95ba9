// Package verify keeps account of what simulated devices published and what the hub acknowledged, and compares it with what the hub
// kept: the journal's entries, the readings in InfluxDB, the calls on the stream.
//
// The rule is the same everywhere. For one message, a = times acknowledged, s = times handed to the network, k = times kept. a <= k <= s must
// hold: k < a is a broken promise (missing), k > s is an invention (doubled), and k > 0 with s = 0 is foreign. Between a and s lies what
// QoS 1 permits: a message stored, not acknowledged because the link broke, and sent again. It is counted as redelivered, not reported.
//
// In InfluxDB a redelivery overwrites itself, so there the rule is one point for each distinct reading. Which point is a reading's is told by
// what everybody can see: its device, its millisecond and its values.
//
// # Concurrency
//
// A Ledger is safe for concurrent use. The comparisons take a consistent copy first; compare only after the hub has settled.
//
// # Errors
//
// A source that cannot be read is an error; a broken promise is a Finding in the result, never an error.
package verify
