// Package device models the devices of a subdistrict: emergency buttons, safety houses and gateways that keep their state between
// messages (battery, radio, temperature, mains, shifts), follow the day in Shanghai, and can be given faults. It makes messages; sending
// them is the fleet's business. Payloads are encoded with this package's own structs, so that a fault in the hub's decoders shows.
//
// A device is a function of its spec, its seed and the moments at which it is asked: the same questions get the same messages.
//
// # Concurrency
//
// A Device is safe for concurrent use. A Message must not be changed.
//
// # Errors
//
// Only ReadSpecs fails; it names row and column.
package device
