// Package hudong embeds the example subdistrict, so that the demonstration runs from any folder. Its files are synthetic and made
// by simulators/hudong; see README.md.
//
// # Concurrency
//
// The embedded bytes are read-only by convention and then safe for concurrent use.
//
// # Errors
//
// None: what is not there does not compile.
package hudong
