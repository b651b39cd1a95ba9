// Package testkit starts whole hubs on loopback for tests and speaks to them as devices and operators do.
//
// Everything is stopped by the test's cleanup.
//
// # Concurrency
//
// Hubs, devices and operators are for the test's own goroutine, which a failure has to end. The package starts no other: those of a hub
// and of a device's client end in the cleanup.
//
// # Errors
//
// None are returned: a failure ends the test with what was expected.
package testkit
