// Command watchhouse is the one binary of Watchhouse: the hub, its tools, the simulated devices and the load tests.
//
// main only ends the process; run does the work and is what the tests call. Exit codes: 0 done, 1 failed, 2 bad flags or configuration,
// 3 data folder in use, 4 data folder of a newer schema or damaged.
package main
