package profile

import (
	"encoding/json"
	"strings"
)

// path leads to values of a message. Where it has alternatives, the first one that leads to something counts.
type path struct {
	text  string
	steps []pathStep
	or    *path
}

type pathStep struct {
	name string
	each bool // and then through the elements of the array
}

func compilePath(s string) path {
	s, alternative, more := strings.Cut(s, "|")
	p := path{text: s}
	if more {
		next := compilePath(alternative)
		p.or = &next
	}
	if s == "" {
		return p
	}
	for name := range strings.SplitSeq(s, ".") {
		bare, each := strings.CutSuffix(name, "[]")
		p.steps = append(p.steps, pathStep{bare, each})
	}
	return p
}

// validPath reports whether each name of a path, and of its alternatives, can be one.
func validPath(s string) bool {
	for alternative := range strings.SplitSeq(s, "|") {
		for name := range strings.SplitSeq(alternative, ".") {
			bare := strings.TrimSuffix(name, "[]")
			if bare == "" || len(bare) > 64 || strings.ContainsAny(bare, "[]") {
				return false
			}
		}
	}
	return true
}

// firstNames adds the names that a path, or one of its alternatives, begins with.
func (p *path) firstNames(to map[string]bool) {
	for ; p != nil; p = p.or {
		if len(p.steps) > 0 {
			to[p.steps[0].name] = true
		}
	}
}

// zero stands for a number that the sender leaves out.
const zero = json.Number("0")

// find appends the values at p. Where the last name alone is missing and orZero is set, 0 stands for it.
func (p *path) find(to []any, root any, orZero bool) []any {
	for ; p != nil; p = p.or {
		if found := findSteps(to, root, p.steps, orZero); len(found) > len(to) || p.or == nil {
			return found
		}
	}
	return to
}

func findSteps(to []any, at any, steps []pathStep, orZero bool) []any {
	if len(steps) == 0 {
		if at == nil {
			return to
		}
		return append(to, at)
	}
	object, ok := at.(map[string]any)
	if !ok {
		return to
	}
	next, ok := object[steps[0].name]
	if (!ok || next == nil) && orZero && len(steps) == 1 {
		next = zero
	}
	if !steps[0].each {
		return findSteps(to, next, steps[1:], orZero)
	}
	list, _ := next.([]any)
	for _, element := range list {
		to = findSteps(to, element, steps[1:], orZero)
	}
	return to
}

// obstacle gives a value on the way that the next step cannot go into. Nothing, and an empty text, is none.
func obstacle(at any, steps []pathStep) (any, bool) {
	if len(steps) == 0 || at == nil || at == "" {
		return nil, false
	}
	object, ok := at.(map[string]any)
	if !ok {
		return at, true
	}
	next := object[steps[0].name]
	if !steps[0].each || next == nil || next == "" {
		return obstacle(next, steps[1:])
	}
	list, ok := next.([]any)
	if !ok {
		return next, true
	}
	for _, element := range list {
		if v, ok := obstacle(element, steps[1:]); ok {
			return v, true
		}
	}
	return nil, false
}

// first is the first value at p, nil when there is none.
func (p *path) first(root any, orZero bool) any {
	if found := p.find(nil, root, orZero); len(found) > 0 {
		return found[0]
	}
	return nil
}
