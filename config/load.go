package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Load reads file onto the defaults ("" = no file), then the environment ("KEY=value" pairs), and validates the result.
func Load(file string, environ []string) (Config, error) {
	cfg, text := Default(), []byte(nil)
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return Config{}, fmt.Errorf("config: %w", err)
		}
		if cfg, err = Parse(file, text); err != nil {
			return Config{}, err
		}
	}
	if err := applyEnv(&cfg, environ); err != nil {
		return Config{}, err
	}
	if err := cfg.Validate(); err != nil {
		return Config{}, locate(file, text, err)
	}
	return cfg, nil
}

// Parse decodes text strictly onto the defaults; name stands in its errors. It does not validate.
func Parse(name string, text []byte) (cfg Config, err error) {
	defer func() {
		if fault := recover(); fault != nil { // the decoder panics on some malformed documents
			err = fmt.Errorf("%s: not valid YAML: %v", name, fault)
		}
	}()
	cfg = Default()
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return Config{}, placed(name, err)
	}
	if empty, err := checkEmpty(name, tree); empty || err != nil {
		return cfg, err
	}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&cfg); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, cmp.Or(wrongValues(name, tree), placed(name, err))
	}
	return cfg, nil
}

// wrongValues names the keys whose values are not of their type, which the decoder's own errors do not; nil when it is another fault.
func wrongValues(name string, tree *ast.File) error {
	cfg := Default()
	var faults []error
	for _, key := range keysOf(&cfg) {
		path, err := yaml.PathString("$." + key.Path)
		if err != nil {
			continue
		}
		node, err := path.FilterFile(tree)
		if err != nil || node == nil || node.GetToken() == nil || yaml.NodeToValue(node, key.value.Addr().Interface()) == nil {
			continue
		}
		position, fault := node.GetToken().Position, fmt.Errorf("must be a %s, is %s", key.Type, node)
		faults = append(faults, at(name, position.Line, position.Column, &KeyError{Key: key.Path, Err: fault}))
	}
	return errors.Join(faults...)
}

// checkEmpty tells a file without content, and refuses a section without keys: decoded, both would be zeros instead of defaults.
func checkEmpty(name string, tree *ast.File) (empty bool, err error) {
	empty = true
	for _, document := range tree.Docs {
		if document.Body == nil || document.Body.Type() == ast.NullType {
			continue
		}
		empty = false
		sections, ok := document.Body.(*ast.MappingNode)
		if !ok {
			continue
		}
		for _, section := range sections.Values {
			if section.Value.Type() == ast.NullType {
				position := section.Key.GetToken().Position
				return false, at(name, position.Line, position.Column, fmt.Errorf("%s: has no value: remove the line or give it one", section.Key))
			}
		}
	}
	return empty, nil
}

// placed turns a decoder's error into one line with its place.
func placed(name string, err error) error {
	var positioned yaml.Error
	if errors.As(err, &positioned) && positioned.GetToken() != nil {
		position := positioned.GetToken().Position
		return at(name, position.Line, position.Column, errors.New(positioned.GetMessage()))
	}
	return fmt.Errorf("%s: %w", name, err)
}

// locate adds the place in the file to each fault of a key that stands there.
func locate(name string, text []byte, err error) error {
	tree, parseErr := parser.ParseBytes(text, 0)
	if parseErr != nil || len(text) == 0 {
		return err
	}
	var faults []error
	for _, fault := range split(err) {
		faults = append(faults, locateOne(name, tree, fault))
	}
	return errors.Join(faults...)
}

func locateOne(name string, tree *ast.File, fault error) error {
	var key *KeyError
	if !errors.As(fault, &key) {
		return fault
	}
	path, err := yaml.PathString("$." + key.Key)
	if err != nil {
		return fault
	}
	node, err := path.FilterFile(tree)
	if err != nil || node == nil || node.GetToken() == nil { // a key that is missing there
		return fmt.Errorf("%s: %w", name, fault)
	}
	position := node.GetToken().Position
	return at(name, position.Line, position.Column, fault)
}
