package registry

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Sentinel errors.
var (
	ErrNotFound     = errors.New("registry: not found")
	ErrExists       = errors.New("registry: exists")
	ErrUnauthorized = errors.New("registry: wrong name or secret")
	// ErrClientID is an ErrUnauthorized whose secret was right.
	ErrClientID = fmt.Errorf("%w: the client id must be the user name, or begin with it and ~", ErrUnauthorized)
	// ErrKey tells that personal data cannot be sealed or opened for want of the key.
	ErrKey = errors.New("registry: key of the personal data")
	// ErrInUse tells that something cannot be removed because another thing refers to it.
	ErrInUse = errors.New("registry: in use")
	// ErrLastAdmin refuses to leave the registry without anyone who may change users.
	ErrLastAdmin = errors.New("registry: this is the last administrator")
)

// InvalidError says which field of what was wrong, what was expected and what was found. Secrets, passwords and personal
// fields are described, never repeated.
type InvalidError struct {
	Subject string // "device btn-0001"
	Field   string
	Want    string
	Got     string
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("registry: %s: %s: want %s, got %s", e.Subject, e.Field, e.Want, e.Got)
}

// InUseError names what cannot be removed, and what refers to it. It is an ErrInUse.
type InUseError struct{ Subject, By string }

func (e *InUseError) Error() string { return ErrInUse.Error() + ": " + e.Subject + " by " + e.By }

// Unwrap makes it an ErrInUse.
func (e *InUseError) Unwrap() error { return ErrInUse }

// ThrottledError tells a human to wait before the next attempt to sign in.
type ThrottledError struct{ RetryAfter time.Duration }

func (e *ThrottledError) Error() string {
	return "registry: too many attempts to sign in, retry after " + e.RetryAfter.String()
}

// RowError names a row (1 = header, as a text editor counts lines), a column and what was expected.
type RowError struct {
	Row               int
	Column, Want, Got string
}

func (e RowError) Error() string {
	where := "row " + strconv.Itoa(e.Row)
	if e.Column != "" {
		where += ", column " + e.Column
	}
	return where + ": want " + e.Want + ", got " + e.Got
}

// ImportErrors are all the faults of one file, in the order of its rows, at most 1000.
type ImportErrors []RowError

func (e ImportErrors) Error() string { return listErrors(e) }

// FeatureError names a feature of a GeoJSON file (0 = the file itself, 1 = the first) and the member that was wrong.
type FeatureError struct {
	Feature           int
	Member, Want, Got string
}

func (e FeatureError) Error() string {
	where := "file"
	if e.Feature > 0 {
		where = "feature " + strconv.Itoa(e.Feature)
	}
	if e.Member != "" {
		where += ", " + e.Member
	}
	return where + ": want " + e.Want + ", got " + e.Got
}

// FeatureErrors are all the faults of one GeoJSON file.
type FeatureErrors []FeatureError

func (e FeatureErrors) Error() string { return listErrors(e) }

const (
	maxListed = 1000 // faults kept of one file
	maxShown  = 50   // faults written out in one message
)

// listErrors writes faults one a line.
func listErrors[E error](faults []E) string {
	var b strings.Builder
	for i, fault := range faults {
		if i == maxShown {
			fmt.Fprintf(&b, "\nand %d more", len(faults)-maxShown)
			break
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(fault.Error())
	}
	return b.String()
}

// excerpt quotes a value for an error, short and without control characters.
func excerpt(s string) string {
	const longest = 40
	if s == "" {
		return "nothing"
	}
	if r := []rune(s); len(r) > longest {
		s = string(r[:longest]) + "…"
	}
	return strconv.Quote(s)
}
