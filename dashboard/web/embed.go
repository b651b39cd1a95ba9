// Package web holds the built page. Its sources are beside this file; Vite builds them into dist. A clone without Node has
// an empty dist and compiles all the same: the console then serves a page that says how to build the real one.
package web

import (
	"embed"
	"io/fs"
)

// all: takes dist/.keep too, so that the pattern always matches a file.
//
//go:embed all:dist
var dist embed.FS

// Dist is the built page, with index.html at its root if it was built.
func Dist() (fs.FS, error) { return fs.Sub(dist, "dist") }
