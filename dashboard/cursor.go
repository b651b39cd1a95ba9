package dashboard

import (
	"encoding/base64"
	"strconv"
	"strings"
)

// PageParams are (exported, as huma looks only into exported embedded fields) the parameters of every list.
type PageParams struct {
	Limit  int    `query:"limit" default:"100" minimum:"1" maximum:"500" doc:"Items of a page."`
	Cursor string `query:"cursor" maxLength:"200" doc:"The next of the page before."`
}

// after is the id behind which a page of a list by id begins.
func (p PageParams) after() (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	parts, err := decodeCursor(p.Cursor, 1)
	if err != nil {
		return "", err
	}
	return parts[0], nil
}

// pageByID is the first page of what is left of a list by id.
func pageByID[T any](rest []T, limit int, id func(T) string) *pageOutput[T] {
	if len(rest) <= limit {
		return page(rest, "")
	}
	return page(rest[:limit], encodeCursor(id(rest[limit-1])))
}

// pageOutput is a page of a list.
type pageOutput[T any] struct{ Body Page[T] }

func page[T any](items []T, next string) *pageOutput[T] {
	if items == nil {
		items = []T{}
	}
	return &pageOutput[T]{Body: Page[T]{Items: items, Next: next}}
}

// Cursors are opaque: base64url of their parts. "" is the beginning and the end.

func encodeCursor(parts ...string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strings.Join(parts, "\n")))
}

func decodeCursor(s string, parts int) ([]string, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, badCursor()
	}
	out := strings.Split(string(b), "\n")
	if len(out) != parts {
		return nil, badCursor()
	}
	return out, nil
}

func badCursor() *Problem { return invalid("query.cursor", "want the next of a page of the same list") }

func numberCursor(n uint64) string {
	if n == 0 {
		return ""
	}
	return encodeCursor(strconv.FormatUint(n, 10))
}

func parseNumberCursor(s string) (uint64, error) {
	if s == "" {
		return 0, nil
	}
	parts, err := decodeCursor(s, 1)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(parts[0], 10, 64)
	if err != nil || n == 0 {
		return 0, badCursor()
	}
	return n, nil
}

// timeCursor is a position in a list ordered by time, newest first, then by id.
type timeCursor struct {
	at int64
	id string
}

func (c timeCursor) encode() string { return encodeCursor(strconv.FormatInt(c.at, 10), c.id) }

func parseTimeCursor(s string) (timeCursor, error) {
	if s == "" {
		return timeCursor{}, nil
	}
	parts, err := decodeCursor(s, 2)
	if err != nil {
		return timeCursor{}, err
	}
	at, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || parts[1] == "" {
		return timeCursor{}, badCursor()
	}
	return timeCursor{at: at, id: parts[1]}, nil
}
