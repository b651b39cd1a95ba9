// Command watchhouse is the one binary of Watchhouse: the hub, its tools, the simulated devices and the load tests.
//
// main only ends the process; run does the work and is what the tests call.
//
// # Concurrency
//
// A command runs in main's goroutine, with a context that the first SIGINT or SIGTERM ends; it returns when everything it started has
// ended. The second signal ends the process at once.
//
// # Errors
//
// An error is printed once, at the end, and becomes the exit code: 0 done, 1 failed, 2 bad flags or configuration, 3 data folder in use,
// 4 data folder of a newer schema or damaged.
package main
