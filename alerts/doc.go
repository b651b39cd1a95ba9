// Package alerts is the alert engine: it reads the journal's lanes, decides by the rules, and keeps every decision in the
// ledger. It is the ledger's one writer.
//
// # The crash argument
//
// A decision is a pure function of the live state, one input, the rules and one revision of the registry. It gives a step;
// the step is folded into the live state, appended to the ledger together with the other steps of its group, and only then
// shown: to the View, to subscribers, to whoever waits for a command. So at any moment
//
//	live state = fold(snapshot, committed steps, decided steps), and what is shown = fold(snapshot, committed steps).
//
// A process that dies loses decided steps that were not committed. Nobody has seen them, and each can be made again:
//
//   - A message is in its lane, and every step carries the places up to which the event and state lanes had been decided when
//     it was made. The next engine reads from there. A message before that place is never decided again; one after it left no
//     step, so deciding on it again is the first time as far as anybody can tell. Its identity is in the same step as what it
//     raised, so a redelivery that lies after that place is known too.
//   - A command was not answered. Its sender asks again with the same Idempotency-Key, which is in the step of what it did.
//   - A clock is armed and cleared by the step that carries the transition, and its due time comes from the receive time of a
//     message, never from the time of a start. The next engine finds it in the ledger and fires it at once when it is overdue;
//     a step of the ladder that a later overdue one supersedes is recorded as skipped.
//   - A silence is judged from a cache of when each device was last heard. The cache is written with its own places in the
//     lanes every few minutes and rebuilt by reading from there. Whether the silence has been raised is in the ledger.
//
// An append whose outcome is unknown is looked up: the last step is this engine's own, or the group is not stored, or another
// engine writes and this one ends with ErrNotLeader. Each step holds the name of the engine's life, so two engines never
// mistake each other's. After a stop in the middle of an append no snapshot is written, for the live state is ahead of the
// ledger. A snapshot names the step it was taken at with that step's hash; one that does not fit is not used.
//
// # The model
//
// A Condition is what a rule says about a device, and is the machine's. An Incident is somebody's need or work, and is the
// operators'. Rules of one dedupe word share one incident per device: a person who presses, falls and presses again is one
// incident. An Assignment is one offer to one responder; nothing makes them yet.
//
//	raised ─► new ─acknowledge─► acknowledged ─resolve─► resolved ─close─► closed
//	           ▲  ◄─unacknowledge─┘│   ▲                  │  │
//	           ├──◄─lapse, repeat──┘   └──────reopen──────┘  │
//	           └──◄──────────────raised again────────────────┘        recovered: new or acknowledged whose silence ended
//
// A press on an open incident is an occurrence. One that comes a minute or more after the last is a second call: it takes back
// an acknowledgement that has not led to a dispatch. A press on a resolved incident brings it back as new; on a closed one it
// makes a new incident, linked to the old within ten minutes. Version grows with the workflow only, never with occurrences,
// clocks or notes.
//
// # Time
//
// The engine's time is max(previous, wall clock), in Unix ms, and is part of every step. Clocks have a resolution of one
// second. Absence rules run on the watermark instead: the receive time up to which all three lanes have been read. A reader
// that lags stops that clock, a hub that was down is taken out of the account, and for Config.BlindAfterStart after hub_start
// nobody is called silent.
//
// # Identity
//
// A message whose (device, boot, seq), else (device, seq, ts), has been counted within seven days under the same event type is
// a redelivery and changes nothing, unless the device's own times of the two lie more than ten minutes apart: then its
// counters have begun again and it is a new press. What has no identity is never dropped.
//
// # Messages of profiles
//
// A message that does not speak wh/v1 is read by the profile of its device (registry.Origin). It can say several things, and each is
// a call of its own. Its identity is what the profile says. A state that a bridge repeats in every message counts when it begins:
// which states are on is in the ledger, the ends too, so neither a restart nor a closed incident makes the next repetition a new
// alarm. A device that nobody has registered is heard only when it calls for help. What a message cannot be read for hides a call
// only if it is the payload as a whole, an event or a state; a number that cannot be read is ingest's to report.
//
// # Concurrency
//
// One goroutine, that of Run, owns the live state. Each lane has a reader of its own. Telemetry is not decoded and never
// waited for: its reader updates a sharded map. A round takes commands first, then calls, clocks, the state lane and silences,
// each bounded, and commits once. Methods of Engine and values they return are safe for concurrent use; incidents and views are
// immutable.
//
// # Errors
//
// Do gives *InvalidError, *ConflictError, ErrNotFound, ErrStopped or the context's error. A rule file gives *RuleError with
// line and column, joined. While the ledger refuses, Run tries again and shows nothing new; it ends only with its context, with
// ErrNotLeader, or when the ledger cannot be understood. What cannot be decoded is counted, put into the dead letters with its
// reason and, from an emergency button, raised as a call. A hole in a lane, or a message whose decision fails, raises
// SYS-JOURNAL-GAP.
package alerts
