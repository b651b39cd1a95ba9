// Package testkit starts whole hubs on loopback for tests and speaks to them as devices and operators do.
//
// Everything is stopped by the test's cleanup. A failure ends the test with what was expected.
package testkit
