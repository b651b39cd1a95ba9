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
