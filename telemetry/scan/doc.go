// Package scan reads JSON front to back, as devices and bridges really write it. All readers of payloads use it, those of
// wh/v1 and those of profiles, so that what one forgives the others forgive, too.
//
// # What it promises
//
// Damage costs the field that it is in, not the message: a call for help must not be lost because of a temperature that is NaN.
//
//   - Around the JSON, a byte order mark, white space, control characters and bytes 0xFF are ignored, and everything after a NUL
//     or a Ctrl-Z: what a C program or a modem leaves in the buffer. UTF-16 is read, too.
//   - Commas may be missing, doubled or left over. True, TRUE and None are what Python and C mean by them.
//   - A value that is no JSON (NaN, 1.#QNAN, 012, ****, nothing at all) is Broken, or a Word: its field is spoilt, the next one is
//     not. Text in GBK or with a lone surrogate is a string like others as long as nobody asks for its text.
//   - Bytes that belong to no field are skipped, and noted as a Flaw: something may have stood there.
//   - A payload that ends inside an object or array is cut: an error, for nobody knows what the rest said.
//
// Whatever it is fed it returns, in time linear in the payload, without recursion.
package scan
