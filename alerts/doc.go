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
//     raised, so a redelivery that lies after that place is known too. The event lane is not decided in its order, see Fairness:
//     the place is that of the oldest message not decided, and the last step of each group adds the numbers of those decided
//     beyond it since the group before, also of those that led to nothing. They are passed over when they are read again.
//   - A command was not answered. Its sender asks again with the same Idempotency-Key, which is in the step of what it did.
//   - A clock is armed and cleared by the step that carries the transition, and its due time comes from the receive time of a
//     message, never from the time of a start. The next engine finds it in the ledger and fires it at once when it is overdue;
//     a step of the ladder that a later overdue one supersedes is recorded as skipped.
//   - A silence is judged from a cache of when each device was last heard. The cache is written with its own places in the
//     lanes every few minutes and rebuilt by reading from there. Whether the silence has been raised is in the ledger.
//   - A window rule is judged from windows and levels, a cache like that one; see below.
//
// An append whose outcome is unknown is looked up: the last step is this engine's own, or the group is not stored, or another
// engine writes and this one ends with ErrNotLeader. Each step holds the name of the engine's life, so two engines never
// mistake each other's. After a stop in the middle of an append no snapshot is written, for the live state is ahead of the
// ledger. A snapshot names the step it was taken at with that step's hash; one that does not fit is not used.
//
// # Fairness
//
// The reader of the event lane sorts what it reads into a queue per device; messages of devices that nobody has registered wait in
// one queue per sender. Who had nothing waiting is decided next, with one message, then everybody in turn, a bounded part each.
// Repeats that follow each other are one item of the queue and cost one step: each is known again or counted, and the incident
// after it is the same as if it had been alone. The sorting is for the order only; a decision reads its message anew, by the
// registry of its moment. When the inbox is full the reader waits, and Backlog says so.
//
// A decision that panics is contained, raises SYS-PANIC with the name of its input, and clears what would bring it back.
//
// # Window rules
//
// The watch stands beside the engine. It keeps windows of what devices have measured and sent, and for each rule, device and
// component a level: the raise expression has held since t, or the clear expression has. A change of level is a finding. The
// engine decides on it against Condition.Active, which the ledger holds, so a finding that is told twice raises once.
//
// Windows and levels are written at the first start and then every few minutes with their places in the lanes, and findings that
// are not committed with them. After a crash the lanes are read again from there:
//
//   - A reading is known by its number in the lane and is not counted twice.
//   - Up to the places in the ledger's last step everything had been read before: its findings are committed, or were in the
//     queue of an engine that died. They are not told again. A lane that has reached its place waits for the other one, and
//     there the levels are made those of the ledger and judged anew: what holds now and is not in the ledger is found now. For
//     this a step must never name a place before the message it was decided on, so a reader moves its place on first, and the
//     places in the steps never go back while something is read again.
//   - What is latched is told always, for heat that has passed is heat all the same. Its identity, the rule, the component and
//     the message that made it hold, is in the step that raised it; the ledger knows it by that for seven days, and the last one by
//     Condition.Cause for good: a level that never ends is told after every start. Findings that are not latched leave no identity.
//   - A delay that ran out between two readings is judged before the second is taken in, not when the watermark happens to pass:
//     so a lane that is read again gives the same levels. Rules about the time itself (age, count, open, …) wait for the
//     watermark.
//
// What is lost with a crash: something not latched that began and ended, unseen, while nobody had decided on it; and what a rule
// about the time itself would have begun to say meanwhile.
//
// Windows run by the devices' own clocks, so that a backlog is judged by when it was measured. Nothing was measured after it was
// received; a clock that lags makes no delay shorter and no reading old; and where a clock was set back, the latched rules of
// priority 1 judge by receipt as well, so that no heat is dropped for its time. A backlog may raise one card too many by that.
//
// An expression that rests on readings that are missing or too old is neither true nor false: it changes nothing. So no data
// is never "all is well", and never an alarm either; silence has rules of its own.
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
// # Bridges
//
// An account that publishes for devices is supervised like a gateway, by its connection beside its messages: the records of its sessions
// are signs of life, and what it says of itself (a topic of a profile that carries bridge) ends its connection for the rule BR-OFFLINE.
// What is known of its connections is in the cache of the silences.
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
// counters have begun again and it is a new press. Where one has no time of its own, ten minutes from the first receipt decide.
// A message of a profile can have several identities; a match on any is enough. What has no identity is never dropped.
//
// # Messages of profiles
//
// A message that does not speak wh/v1 is read by the profile of its device (registry.Origin). It can say several things, and each is
// a call of its own. Its identity is what the profile says. A state that a bridge repeats in every message counts when it begins:
// which states are on is in the ledger, the ends too, so neither a restart nor a closed incident makes the next repetition a new
// alarm; of what a person does, each repetition after a pause counts. A device that leaves the registry takes its states along. One that nobody has registered is heard only when it calls for
// help. What a message cannot be read for hides a call only if it is the payload as a whole, an event or a state; a number that
// cannot be read is ingest's to report.
//
// # Concurrency
//
// One goroutine, that of Run, owns the live state. Each lane has a reader of its own, and the event lane a second one for the
// watch. Telemetry is never waited for: its reader updates a sharded map, decodes what window rules need and judges them under
// the watch's lock, which the engine never takes. A round takes commands first, then calls by turns, findings, clocks, the state lane and
// silences, each bounded, and commits once. Methods of Engine and values they return are safe for concurrent use; incidents and views are
// immutable.
//
// # Errors
//
// Do gives *InvalidError, *ConflictError, ErrNotFound, ErrStopped or the context's error. A rule file gives *RuleError with
// line and column, joined. While the ledger refuses, Run tries again and shows nothing new; it ends only with its context, with
// ErrNotLeader, or when the ledger cannot be understood. What cannot be decoded is counted, put into the dead letters with its
// reason and, where a call or a fire may hide behind it, raised. A hole in a lane raises
// SYS-JOURNAL-GAP.
package alerts
