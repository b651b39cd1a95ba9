// Package live keeps what every registered device says of itself right now: when it was last heard, whether it is
// connected, its newest metrics, whether it is silent for longer than its interval allows.
//
// # What it promises
//
// It is a view of the three lanes and of the registry, never a source: it can be thrown away and is rebuilt from a saved
// state and the messages after it. It is eventually right, within one interval (250 ms) of the lanes' heads, and says only
// what was heard: a device that is not known to be connected or not has Online nil. It raises no alarm; silence that needs
// a person is the alert engine's business.
//
// Accounts of bridges are shown as devices of kind bridge. A device for which a bridge spoke last is shown as not online while that
// bridge is gone, by its connection or by its own word.
//
// Messages only mark a device; its payloads are decoded at the interval, at most the newest eight of a device, so that
// ten thousand messages a second of a few hundred devices cost little, and a device that floods costs as much as any other.
//
// The version of a state grows with each change, also across restarts: it is the larger of the last version plus one and
// the wall clock in Unix ms, so a console that reconnects never holds a version from the future.
//
// # Concurrency
//
// Run owns all goroutines and returns when they have ended. One reader per lane applies entries under a mutex, one flusher
// decodes, publishes and saves. List, Get and Frames may be called from anywhere at any time. States handed out are
// immutable.
//
// # Errors
//
// A gap in a lane is logged and stepped over. A failed read is logged once and retried. A failed save is logged and tried
// again at the next interval: nothing but a longer catch-up at the next start depends on it.
package live
