// Package profile reads the messages of devices that do not speak wh/v1, by tables: what a ChirpStack server, zigbee2mqtt or a
// ThingsBoard device publishes becomes events, readings and signs of life in the vocabulary of package telemetry. It imports
// telemetry only, reads no file and keeps no state.
//
// # The two halves
//
// An Envelope is one topic pattern of a profile: where the device's address stands in the topic, and where time, identity, body
// and radio figures stand in the message. A Model says what the fields of the body of one kind of device mean. Both are
// written in YAML (package catalog); Check tells what is wrong with them.
//
// A field is a metric (number, with scale, offset, limits and a table for words), a fill level (from a distance and how the
// sensor is mounted), an event (each message that holds one of the given words is one), a level (a state that is an event when
// it begins: bridges repeat old fields in every message, so what counts is the edge, which the reader of Content has to find),
// or the online flag.
//
// # What it promises
//
//   - It is strict about meaning and tolerant about form: "12.5" is a number, "TRUE", 1 and true are one word, as are
//     "short press", "Short_Press" and "short-press". A word that is in no table is a fault, never a guess.
//   - null and what is absent mean nothing, except where an envelope says that an absent field is a zero (proto3 leaves zeros
//     out).
//   - A fault of one field takes nothing away from the others.
//   - Whatever the payload holds, Read returns: nesting, values, records and faults are bounded, and a name given twice in one
//     object is a fault.
//
// # Errors
//
// Errors are telemetry.FieldErrors. They name the field and the kind of thing that was found, never the content. Content.Unread
// is the first fault behind which a call for help may hide: the payload as a whole, an event or a level. It is not set by a
// metric that cannot be read.
//
// # Concurrency
//
// Envelopes and models do not change once they are compiled; everything is safe for concurrent use.
package profile
