// Package stream is a console without a screen: it signs in by REST, follows the WebSocket stream (subprotocol watchhouse.v1) as the page
// does, with hello, replay or snapshot, and resume after a break, and hands on every numbered transition with the moment its frame came.
// It checks the promise it lives on: numbers run on without gap or double across reconnects.
//
// # Concurrency
//
// Run owns its goroutines and calls the handler from one at a time. The other methods may be called from anywhere.
//
// # Errors
//
// Run gives up only when ctx ends or the sign-in is refused (ErrRefused); a broken connection is retried. A *SequenceError is a broken
// promise of the hub and ends Run.
package stream
