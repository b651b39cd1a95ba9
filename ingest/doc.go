// Package ingest moves what devices measure from the journal into InfluxDB and reads history back for charts. Nothing that
// decides about an alarm goes through it: alerts reads the journal, so a stopped, slow or misconfigured database delays charts
// only.
//
// # What it promises
//
//   - A reading whose message was acknowledged is in InfluxDB at last, exactly once, or in the dead letters with a reason.
//     The mark of a lane moves only after the server's 204 for every point before it (or its refusal of a point by itself);
//     what the telemetry lane's cursor has not passed is never purged.
//   - A dead letter can be driven again: its message is decoded with what the hub knows now and written (Redrive).
//   - An outage loses nothing and needs no hand: a batch is sent again for ever, with growing, jittered pauses of at most 15 s.
//   - Fresh data is in the database within a second: a batch waits at most 250 ms for more, and not at all while catching up.
//   - Points of one device and lane are written in the order of the lane.
//   - The event path does not starve: for each lane there is one request in flight, while the next batch is read and decoded,
//     and while catching up the reader rests after each batch as long as reading and decoding it took, at most 10 ms.
//
// # Where readings come from
//
// The telemetry lane, and the event lane: one message of a foreign device (package telemetry/profile) may hold a call and
// measurements, and then it travels in the event lane. The place in the event lane is only noted, not held: it lies in life.db,
// which a database that is down for months must not fill. A database down for longer than the journal keeps (7 days by
// default) loses those measurements, and a dead letter says so. What a profile cannot read of a call is the alert engine's to
// report; what cannot be decoded of wh/v1 telemetry and of measurements becomes a dead letter here.
//
// # Why a crash or a repeat does not double
//
// A point is overwritten by one with the same measurement, tags and time. Its time depends only on what the frame holds:
//
//   - With a believable ts (telemetry.EffectiveTime): ts in ns plus seq mod 10^6; with a boot plus 500009 times (boot+1), mod
//     10^6. Without a seq, ts plus the FNV-1a sum, mod 10^6, of all it says or, in a foreign message with an identity, of that
//     and its place: then a mended profile replaces what the wrong one stored. So a redelivery by the device overwrites itself,
//     however it is packed into arrays, and two messages of one millisecond do not overwrite each other: with numbers for
//     certain, without them but for one chance in a million that two sums are alike. Readings of one message never do: a
//     nanosecond that an earlier one has is passed over.
//   - Without one: the receive time in whole microseconds, plus the entry's number in the lane mod 1000 as nanoseconds, plus
//     the reading's place in the payload as microseconds. Entries with the same remainder are 1000 messages apart, so two
//     messages of one receive time differ, and a payload without times keeps its order. A redelivery cannot be told from a
//     new reading and does double. A ts that is not believed also sets the field clock_bad=1.
//
// So a kill between the 204 and the mark repeats a batch onto itself, and a reader whose mark was lost begins at the
// start of the lane without harm. One exception: kind and area are tags, taken from the registry when the point is written,
// and a tag is part of what a point is. A device whose kind or area is edited between the write of a reading and its repeat (a
// batch sent again, a redelivery of what had been stored, a redrive) has that reading under both. Dead letters are
// at-least-once.
//
// # What a point is
//
// Measurement "telemetry", tags area, device, kind (absent when unknown), one float field per metric. One measurement and not
// one per kind or metric: a reading's numbers share one timestamp and one index entry, a device whose kind is corrected keeps
// one history, and the type of a field can never conflict between kinds, because every number is a float. Names a
// database cannot hold or that mean something to it (time, a leading _, the tags' names, clock_bad, late_s), numbers that are
// not finite and, beyond 128 names of one device and lane since the start, further ones are left out of the point and reported as a
// dead letter, which holds the whole message.
//
// A reading that arrived more than ten minutes and two report intervals after its time has the field late_s, the seconds in
// between. A redelivery that comes so late marks what had come in time: which of two arrivals was the first is not kept.
//
// # Without a database
//
// With an empty URL Run waits for its end and gives up its marks, so that the lane is purged by age; Series, Metrics and Redrive
// return ErrUnavailable. If a URL is set later, what the journal still holds (7 days by default) is written first.
//
// # Answers of the server
//
//	204                      the points are stored
//	400 or 422 for a line    a conflicting field is taken out of the batch's points and the rest sent again; any other fault is
//	                         found by halving the batch; the culprit becomes a dead letter. A 400 with a text that is
//	                         not known is believed only if the server accepts other points of the same batch
//	413                      the batch is halved; a single point that is too large becomes a dead letter
//	429, 503                 kept and sent again after Retry-After
//	all else                 (no answer, 5xx, 401, 403, 404, a 200 from a proxy) kept and sent again
//
// # Concurrency and errors
//
// One Run at a time; it starts two goroutines for each lane and ends with them. All else may be called from any goroutine,
// during Run or without it. Run returns nil when its context ends. Errors of the history are ErrInvalid (the question is at
// fault) or ErrUnavailable; those of Redrive ErrUnavailable, journal.ErrNotFound and the journal's.
package ingest
