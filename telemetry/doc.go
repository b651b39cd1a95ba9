// Package telemetry is the vocabulary of the wire: kinds of device, event types, metrics with their units, commands, topics,
// and the decoders of the payloads that devices send. It imports nothing of the project and keeps no state: every function
// is safe for concurrent use.
//
// # What the decoders promise
//
// They are strict about meaning and tolerant about form. Whatever they are fed they return: they neither panic nor recurse,
// and take time linear in the payload (n log n in the number of fields of a reading).
//
//   - Unknown fields of an event, a status or a command ack are ignored; in telemetry every other field is a metric, known
//     to the table or not, and is kept.
//   - Damage costs the field it is in and not the message, by the rules of package scan, which the profiles read by, too.
//   - null means absent. Booleans of telemetry are 0 and 1. Numbers must be JSON numbers: "12" is not one. 12.0 and 1.2e1
//     are whole numbers, since some encoders know no other form. NaN, nan and Infinity are reported as what they are.
//   - A field given twice is a fault: which of the two was meant is anyone's guess.
//   - A ts that is a number but cannot be a time (negative, 1e30) is no fault of form: it is cut to the range of int64, and
//     EffectiveTime judges it.
//
// # Errors
//
// Every error is a *FieldError, or FieldErrors holding several. It names the field, what was expected and what kind of thing
// was found, never the content: payloads may hold personal data and errors reach logs. At most the name of a field, in
// printable ASCII and cut to 32 bytes, is repeated.
//
// An error does not mean that nothing was read:
//
//   - DecodeEvent gives an event with a type whenever the type can be read and the payload is whole: it is to be acted on. The
//     error then tells of spoilt fields. Without a type it is an event that cannot be read. Where bytes belong to no field,
//     another event may stand in them, so only a call for help is believed beside them.
//   - DecodeTelemetry keeps every usable field of every reading and reports the others. Only a payload that is not JSON at
//     all, is cut, or is not one object or array, yields no readings. A reading whose ts is unusable decodes with ts 0, which
//     EffectiveTime calls a bad clock: its numbers are kept, its time is not believed.
//
// # Identity
//
// A message is identified by (device, boot, seq), else by (device, seq, ts). A ts before 2020 cannot tell two messages
// apart: the clock of a device that has lost its time starts from the same second after each restart, and so does its seq.
// Such a message has no identity and nothing may be dropped on account of it.
package telemetry
