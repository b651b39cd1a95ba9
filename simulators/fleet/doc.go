// Package fleet connects simulated devices to a broker with the Eclipse Paho client, one connection for each gateway and each device that
// has none, over TCP or TLS. Devices behind a gateway speak through it.
//
// A message of QoS 1 stays in its link's queue, in order, until its PUBACK came; when the connection breaks, what is unacknowledged goes
// out again on the next one, byte for byte, so that its identity (boot, seq) is the same. The client library's own store and reconnect are
// off: it completes some tokens without error while it is away, backs off without jitter, and resends out of our sight. A will and a
// retained status tell who is there. A ledger is told of every hand-over to the network before it happens and of every ack after it came.
//
// # Concurrency
//
// A Fleet is safe for concurrent use. Run owns one goroutine per link (and the library's own) and waits for all of them. A link's messages
// are published and acknowledged by its goroutine alone.
//
// # Errors
//
// New names what is wrong with its configuration; the methods that act on a device return ErrUnknown for one that is not in the fleet. A
// connection that cannot be made is no error: it is tried again for ever and counted.
package fleet
