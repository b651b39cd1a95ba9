// Package report turns measurements into a page for people: plain text, JSON, and one HTML file with inline SVG plots that needs nothing
// from the network.
//
// # Concurrency
//
// A Report is a value; building and writing it is for one goroutine.
//
// # Errors
//
// The writers return the error of the underlying writer, wrapped.
package report
