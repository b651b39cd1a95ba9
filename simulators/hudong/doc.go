// Package hudong makes the example subdistrict: 32 residential committees with 190 emergency buttons, 42 safety houses, 91 points
// for household waste, 23 for recyclables, 48 bicycle garages in 22 compounds and 8 gateways, laid over the place where Hudong Xincun
// Subdistrict (沪东新村街道, Pudong, Shanghai) really is.
//
// Everything but the position on the map is invented: the borders are a jittered grid, the committees, compounds and people do not
// exist, and telephone numbers begin with 154, a prefix not issued to subscribers as far as its author could learn. The same seed gives
// the same bytes on every machine; examples/hudong holds those of ExampleSeed and a test compares them.
//
// # Concurrency
//
// Generate is pure. A Dataset is read-only by convention and then safe for concurrent use.
//
// # Errors
//
// Only the writers fail, with the error of the underlying file wrapped.
package hudong
