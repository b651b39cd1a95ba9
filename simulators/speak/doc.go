// Package speak lets simulated devices speak as off-the-shelf ones do: through a ChirpStack server, through zigbee2mqtt, or by the device
// API of ThingsBoard. It knows the models that are shipped in telemetry/catalog/profiles.yaml and encodes their messages by itself, in the
// shapes that those systems' documents and decoders show: proto3 that leaves out zeros, numbers as texts, random message numbers, old
// fields repeated in every message.
//
// A Voice turns a message of wh/v1 into what the model says instead. What the model has no words for is not said. The message then tells
// in Said what the hub must have understood, so that a verifier needs no decoder; fill levels, which the hub works out from distances, are
// left out.
//
// # Concurrency
//
// A Voice belongs to one device and is used under its lock.
//
// # Errors
//
// For names settings that cannot be read.
package speak
