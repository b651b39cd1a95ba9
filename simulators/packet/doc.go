// Package packet encodes and reads the MQTT 3.1.1 packets a load generator needs: CONNECT, CONNACK, PUBLISH, PUBACK, PINGREQ and
// DISCONNECT. It appends to the caller's buffer and reads without allocating, so that a generator costs little beside the broker it
// measures; it is no general client.
//
// # Concurrency
//
// The Append functions are pure. A Reader belongs to one goroutine.
//
// # Errors
//
// A packet that breaks the format is ErrMalformed, one longer than the reader's limit ErrTooLarge, both wrapped with the detail; anything
// else is the connection's error.
package packet
