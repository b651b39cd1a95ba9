package alerts

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed rules.yaml
var shipped []byte

// RuleError is one fault of a rule file. Line and Column count from 1.
type RuleError struct {
	File         string
	Line, Column int
	Message      string
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// ruleFile is the form of the YAML.
type ruleFile struct {
	Version int                 `yaml:"version"`
	Clocks  map[Priority]clocks `yaml:"clocks"`
	Rules   []*rule             `yaml:"rules"`
}

// LoadRules reads, compiles and checks a rule file; "" is the shipped one. Faults in the file are *RuleError, joined.
func LoadRules(path string) (*Rules, error) {
	if path == "" {
		return ParseRules("rules.yaml", shipped)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	return ParseRules(path, src)
}

// ParseRules is LoadRules on a source; name is the file's name in the errors. The YAML library panics on some malformed
// documents (a tagged scalar where a list is wanted), which is a fault of the file like any other.
func ParseRules(name string, src []byte) (r *Rules, err error) {
	defer func() {
		if p := recover(); p != nil {
			r, err = nil, &RuleError{name, 1, 1, fmt.Sprintf("cannot be read as YAML: %v", p)}
		}
	}()
	tree, err := parser.ParseBytes(src, 0)
	if err != nil {
		return nil, yamlFault(name, err)
	}
	if len(tree.Docs) != 1 {
		return nil, &RuleError{name, 1, 1, "want one document"}
	}
	var f ruleFile
	if err := yaml.UnmarshalWithOptions(src, &f, yaml.Strict()); err != nil {
		return nil, yamlFault(name, err)
	}
	c := &checker{name: name, tree: tree, file: f}
	rules := &Rules{hash: hashOf(src), list: f.Rules, byID: map[string]*rule{}, clocks: f.Clocks}
	c.check(rules)
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	return rules, nil
}

func hashOf(src []byte) string {
	h := sha256.Sum256(src)
	return hex.EncodeToString(h[:8])
}

func yamlFault(name string, err error) error {
	var y yaml.Error
	if !errors.As(err, &y) || y.GetToken() == nil {
		return &RuleError{name, 1, 1, err.Error()}
	}
	p := y.GetToken().Position
	return &RuleError{name, p.Line, p.Column, y.GetMessage()}
}

// compile turns the expressions of a rule into programs.
func (c *checker) compile(at string, r *rule) {
	switch r.Kind {
	case ruleEvent, ruleFlag:
		r.raise = c.program(at+".raise", r.Raise, expr.Env(eventEnv{}), expr.AsBool())
	case ruleAbsence:
		r.silentAfter = c.program(at+".silent_after", r.SilentAfter, expr.Env(absenceEnv{}), expr.AsFloat64())
		r.clear = c.program(at+".clear", r.Clear, expr.Env(absenceEnv{}), expr.AsBool())
	}
}

func (c *checker) program(at, code string, options ...expr.Option) *vm.Program {
	if code == "" {
		c.fault(at, "want an expression")
		return nil
	}
	p, err := expr.Compile(code, options...)
	if err == nil {
		return p
	}
	if e, ok := errors.AsType[*file.Error](err); ok {
		c.fault(at, fmt.Sprintf("expression, line %d, column %d: %s", e.Line, e.Column+1, e.Message))
		return nil
	}
	c.fault(at, "expression: "+err.Error())
	return nil
}

// fault records what is wrong at a path, at the nearest part of it that the file has.
func (c *checker) fault(at, message string) {
	line, column := 1, 1
	if n := c.nearest(at); n != nil && n.GetToken() != nil {
		line, column = n.GetToken().Position.Line, n.GetToken().Position.Column
	}
	c.faults = append(c.faults, &RuleError{c.name, line, column, message})
}

func (c *checker) nearest(at string) ast.Node {
	for ; at != ""; at = parentPath(at) {
		p, err := yaml.PathString(at)
		if err != nil {
			continue
		}
		if n, err := p.FilterFile(c.tree); err == nil && n != nil {
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

// parentPath cuts the last element off a path like $.rules[2].raise.
func parentPath(at string) string {
	for i := len(at) - 1; i > 0; i-- {
		if at[i] == '.' || at[i] == '[' {
			return at[:i]
		}
	}
	return ""
}
