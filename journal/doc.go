// Package journal keeps what the hub was told, on disk, before it answers.
package journal
