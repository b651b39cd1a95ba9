// Package engine defines what the journal needs of a store: append-only logs with an expected last sequence, and small keyed
// values. Callers pack many messages into one record, so one record may as well be one message of a replicated log, and one
// Append of several one batch of it.
//
// Promises of an engine, checked by enginetest: an Append that returned nil is on stable storage and survives a kill; two
// appends with the same expected sequence cannot both succeed; sequences run on from 1 without holes, across restarts and
// purges; a record reads back byte for byte. Appends to several logs, and puts, may share a commit, lower priorities first.
//
// Concurrency: every method may be called from any goroutine. Errors: the sentinels of this package, wrapped; everything
// else is a fault of the storage and leaves the outcome unknown.
package engine
