// Package enginetest is the conformance suite of package engine and an engine in memory to test callers with.
//
// Run checks what every engine promises. Memory keeps its content in a Store that outlives the engine, like a disk, and can
// be told to fail: before a record is stored, or after it, as a time-out does.
//
// Concurrency: everything is safe for concurrent use.
//
// Errors: Run fails the test; Memory gives the sentinels of package engine, and ErrInjected for what it was told to fail.
package enginetest
