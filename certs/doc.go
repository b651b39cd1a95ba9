// Package certs holds the hub's certificates: it loads them, serves them to listeners, renews them in place, and makes those of an
// authority of one's own.
//
// # What it promises
//
//   - A Store is the hub's certificate and key, the authorities that sign devices' certificates, and the fingerprints of those that are
//     refused. A reload takes effect with the next handshake; connections that stand are not touched. What cannot be loaded whole is
//     not taken at all: the certificates of before stay.
//   - TLS 1.2 at least. Sessions are resumed across a reload, unless the client's certificate has meanwhile been revoked or is of an
//     authority that is no longer trusted.
//   - Browsers are never asked for a certificate, MQTT clients only when an authority for devices is configured.
//   - The folder of an authority is written for its owner alone. Nothing in it is replaced unless that was asked for, and each file is
//     replaced whole. A power cut at any moment leaves the certificate of before with its key, or the new one with its own.
//
// # Whose certificate it is
//
// A device is named by the subject alternative names of its certificate, URIs urn:watchhouse:device:ID and DNS names, and only without
// any by its common name. A certificate of the hub itself opens nothing: a client's must be made for client authentication.
//
// # Concurrency
//
// A Store is safe for concurrent use; reloads take turns. The functions that write a folder are for one process at a time.
//
// # Errors
//
// Open and Reload name the setting and the file, and what was expected. ErrExists says that a file would have been overwritten.
package certs
