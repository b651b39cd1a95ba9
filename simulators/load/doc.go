// Package load puts MQTT brokers under load and says what they did: throughput with many or with one pipelining client, a steady rate,
// connect storms, idle connections, and the way of a press from PUBLISH to PUBACK and to the WebSocket frame. It works at packet level
// (package packet) against any MQTT 3.1.1 broker, so that the same generator measures two brokers side by side (Compare).
//
// Every latency is the time between the write of a PUBLISH and the moment its PUBACK was read. A steady rate counts from the moment the
// message was due, so that a stalled broker cannot hide by holding the generator back. Closed loops cannot be free of that: they say
// what a broker does with a full window, not how long a lone message takes.
//
// A closed loop never waits for itself: acks of a whole window fit the socket's receive buffer, so a broker can always write them and
// goes on reading what the loop wrote.
//
// # Concurrency
//
// Each runner owns its goroutines and returns after they ended. Progress callbacks come from one goroutine at a time.
//
// # Errors
//
// A runner fails when no connection can be made or ctx ends before the warm-up does; refused connections, publishes without an ack and
// broken connections are results, counted in the report.
package load
