// Package web holds the built page. Its sources are beside this file; Vite builds them into dist. A clone without Node has
// an empty dist and compiles all the same: the console then serves a page that says how to build the real one.
//
// # Concurrency
//
// The page is embedded and read-only: safe for concurrent use.
//
// # Errors
//
// Dist does not fail on a page that was not built; reading index.html from it then gives fs.ErrNotExist.
package web
