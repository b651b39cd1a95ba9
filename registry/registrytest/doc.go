// Package registrytest opens registries on temporary journals for the tests of other packages.
//
// Each registry is its own test's: its journal and key lie in the test's temporary folder and are closed by the test's cleanup.
//
// # Concurrency
//
// Open, OpenJournal and Put are for the test's own goroutine; what they give is as safe as package registry promises.
//
// # Errors
//
// None are returned: what fails ends the test.
package registrytest
