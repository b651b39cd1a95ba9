package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// KeyError is a fault of one key, written as in the file: section.key.
type KeyError struct {
	Key string
	Err error
}

func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }
func (e *KeyError) Unwrap() error { return e.Err }

// leadingKey matches the key that a package's Validate puts before its message.
var leadingKey = regexp.MustCompile(`^([a-z][a-z0-9_]*)(?::? )`)

// inSection turns the faults of a package's Validate into KeyErrors of its section.
func inSection(section string, err error) error {
	var faults []error
	for _, fault := range split(err) {
		key, text := section, strings.TrimPrefix(fault.Error(), section+".")
		if m := leadingKey.FindStringSubmatch(text); m != nil {
			key, text = section+"."+m[1], text[len(m[0]):]
		}
		faults = append(faults, &KeyError{Key: key, Err: errors.New(text)})
	}
	return errors.Join(faults...)
}

// split flattens joined errors.
func split(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, split(e)...)
	}
	return all
}

// at puts file:line:column before a fault when the key stands in the file.
func at(file string, line, column int, err error) error {
	return fmt.Errorf("%s:%d:%d: %w", file, line, column, err)
}
