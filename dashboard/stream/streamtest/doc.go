// Package streamtest is an alert engine's numbered stream for tests: a Ledger in memory that keeps a bounded past and cuts
// readers that fall behind, as the real one promises.
//
// # Concurrency
//
// A Ledger is safe for concurrent use and starts no goroutine.
//
// # Errors
//
// Subscribe gives alerts.ErrTooOld as the engine does, or whatever Break was given. Nothing else fails.
package streamtest
