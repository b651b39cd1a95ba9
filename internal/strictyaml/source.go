package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// FaultError is one thing that is wrong with a file. Line and Column count from 1.
type FaultError struct {
	File         string
	Line, Column int
	Message      string
}

func (f *FaultError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Message)
}

// Source is a decoded file and what is wrong with it.
type Source struct {
	name   string
	tree   *ast.File
	faults []error
}

// Decode reads one document into a struct; a key that the struct does not have is a fault. name stands in the errors. The YAML
// library panics on some malformed documents (a tagged scalar where a list is wanted), which is a fault of the file like any
// other.
func Decode(name string, src []byte, into any) (s *Source, err error) {
	defer func() {
		if p := recover(); p != nil {
			s, err = nil, &FaultError{name, 1, 1, fmt.Sprintf("cannot be read as YAML: %v", p)}
		}
	}()
	tree, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, decoding(name, err)
	}
	if len(tree.Docs) != 1 {
		return nil, &FaultError{name, 1, 1, "want one document"}
	}
	if err := yaml.UnmarshalWithOptions(src, into, yaml.Strict()); err != nil {
		return nil, decoding(name, err)
	}
	return &Source{name: name, tree: tree}, nil
}

func decoding(name string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &FaultError{name, 1, 1, err.Error()}
	}
	p := y.GetToken().Position
	return &FaultError{name, p.Line, p.Column, y.GetMessage()}
}

// Fault records what is wrong at a path like $.rules[2].raise, at the nearest part of it that the file has.
func (s *Source) Fault(path, message string) {
	line, column := 1, 1
	if n := s.nearest(path); n != nil && n.GetToken() != nil {
		line, column = n.GetToken().Position.Line, n.GetToken().Position.Column
	}
	s.faults = append(s.faults, &FaultError{s.name, line, column, message})
}

// Err joins the faults recorded, nil when there is none.
func (s *Source) Err() error { return errors.Join(s.faults...) }

// Faulty reports whether a fault was recorded.
func (s *Source) Faulty() bool { return len(s.faults) > 0 }

func (s *Source) nearest(path string) ast.Node {
	for ; path != ""; path = parent(path) {
		p, err := yaml.PathString(path)
		if err != nil {
			continue
		}
		if n, err := p.FilterFile(s.tree); err == nil && n != nil {
			return firstToken(n)
		}
	}
	return nil
}

// firstToken gives the node an editor should jump to: a mapping's own token is the colon of its first entry.
func firstToken(n ast.Node) ast.Node {
	switch v := n.(type) {
	case *ast.MappingNode:
		if len(v.Values) > 0 {
			return v.Values[0].Key
		}
	case *ast.MappingValueNode:
		return v.Key
	case *ast.LiteralNode:
		if v.Value != nil {
			return v.Value
		}
	}
	return n
}

// parent cuts the last element off a path, "" when there is nothing left.
func parent(path string) string {
	for i := len(path) - 1; i > 0; i-- {
		if path[i] == '.' || path[i] == '[' {
			return path[:i]
		}
	}
	return ""
}
