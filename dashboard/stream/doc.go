// Package stream shows committed alert transitions and device states to consoles over WebSocket, subprotocol watchhouse.v1.
//
// # What it promises
//
// The alert stream is numbered by the ledger, lossless and without doubles: a console gets first..last in contiguous
// batches, or is told to resume, or to take a snapshot. It never gets a number twice between two resumes, and never a hole.
// Device states are latest-value: each frame holds whole states, only the newest of a device is kept for a slow console.
// A transition of priority 1 or 2 leaves at once, together with what waited before it; others wait at most 50 ms.
//
// Nobody waits for a slow console. Batches are marshalled once and shared; each console has one writer, a queue of at most
// 1,024 transitions and a map of newest device states. When the queue overflows it is dropped and the console is told to
// resume, which replays from the ledger at its own pace. A write that takes longer than 5 s ends the connection, as do
// 40 s without a sign of life (pings go every 15 s), and a session that ended or changed its role (close code 4001).
//
// Frames carry ids of persons, never names or phone numbers.
//
// # Frames
//
// Client: hello and resume say which number the console has; the server answers hello with welcome and either replays from
// the next number (resume "ok") or waits for a resume after the page took a snapshot (resume "snapshot"). seen says up to
// which number the page has painted, audio whether its sound works. Server: welcome, b (batch), dev, hb (heartbeat, every
// 5 s whatever else is sent), resync (resume, or with snapshot set take a snapshot first).
//
// # Concurrency
//
// Run owns the fan-out. Serve runs in its caller's goroutine (the reader) and owns one writer. Hub.mu guards the set of
// clients and the order of dispatch, client.mu a client's queue; Hub.mu is taken first. No socket is touched under either.
//
// # Errors
//
// Serve answers refused handshakes with the HTTP error function it was given; afterwards errors are close codes.
package stream
