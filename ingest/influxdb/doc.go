// Package influxdb runs the development InfluxDB (1.8.10, built from tools/influxd) as a child process on loopback: for
// `watchhouse demo` and for tests. Production never uses it; there InfluxDB is somebody else's process, named by its URL.
//
// # What it promises
//
//   - Start and Restart return once the server answers and the database exists. A server that dies before that is an error
//     with the last lines of its log.
//   - The port is chosen at Start and kept over Restart, so a client finds it again. Everything listens on 127.0.0.1 only.
//   - The child does not outlive this process, even one ended by SIGKILL (on Linux), and does not see the terminal's Ctrl-C:
//     it is stopped after those who write to it.
//   - Whatever was answered with 204 is in the write-ahead log and survives Kill: wal-fsync-delay is 0.
//
// # Concurrency and errors
//
// A Server's methods may be called from any goroutine; Stop, Kill and Restart exclude each other. Errors are wrapped and say
// which step failed. The caller owns the folder and removes it.
package influxdb
