// Package device models the devices of a subdistrict: emergency buttons, safety houses, gateways, points of waste and garages that keep
// their state between messages (battery, radio, temperature, mains, shifts, bins), follow the day and the seasons of Shanghai, and can be
// given faults. It makes messages; sending them is the fleet's business. Payloads are encoded with this package's own structs, so that a
// fault in the hub's decoders shows.
//
// Bins of a sorting point fill in two windows a day, most from 18 to 20 h; trucks empty them by the plan of each stream, for food waste
// every evening and on hot days in the morning too. Weight follows the fill, ammonia the warmth and age of food waste, a garage's current
// the evening. Points and garages can live faster than the clock, so that a day passes while somebody watches.
//
// A device is a function of its spec, its seed and the moments at which it is asked: the same questions get the same messages.
//
// # Concurrency
//
// A Device is safe for concurrent use. A Message must not be changed.
//
// # Errors
//
// ReadSpecs names row and column. Fill, Collect and Burn fail on a device that has no such bin or is no garage.
package device
