// Package strictyaml reads the project's own YAML files: strictly, and with the line and column of every fault, also of those
// that are found only after decoding.
//
// A Source is not safe for concurrent use; it lives as long as the file is being checked. Decode and Err give *FaultError, several
// of them joined.
package strictyaml
