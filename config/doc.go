// Package config composes the Config of every package into one YAML file.
//
// Defaults are complete: an empty file, or none, is a working hub. Decoding is strict, so a misspelt key is an error with its line and
// column, never a silent default. Every key can also be set in the environment as WATCHHOUSE_SECTION_KEY (WATCHHOUSE_MQTT_TCP), which
// overrides the file; flags override both and are applied by cmd. Each package owns and validates its own section: this one only says
// where in the file the fault stands.
//
// Concurrency: a Config is a value; nothing here keeps state.
//
// Errors: every fault of a file is reported, one a line, as FILE:LINE:COLUMN: key: what was expected.
package config
