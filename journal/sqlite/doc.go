// Package sqlite is the embedded engine: one SQLite file in WAL mode with synchronous=FULL.
//
// Crash argument: every change is made by one writer goroutine in a transaction, and an operation is answered only after its
// COMMIT returned, which is after the sync of the write-ahead log. A kill before that leaves a log without the commit record,
// which the next open ignores; a kill after it leaves one that the next open recovers. After a failed commit the last
// sequences are read again before anything else is written, since the outcome may be either.
//
// Concurrency: the writer takes everything queued as one transaction (group commit): urgent operations first, then normal
// ones up to a size, housekeeping only alone. Reads go through their own connections and never wait for the writer.
// A checkpointer with its own connection moves the log into the file outside the commit path; only when the log has grown
// past a hard limit, because commits never paused, does the writer wait for the last few pages.
//
// The file must never be opened by other means inside the process while a DB is open: closing any descriptor of it would
// drop SQLite's POSIX locks.
//
// Errors: the sentinels of package engine; SQLite's codes are mapped by their primary code.
package sqlite
