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

	"watchhouse/internal/strictyaml"
)

//go:embed rules.yaml
var shipped []byte

// RuleError is one fault of a rule file. Line and Column count from 1.
type RuleError = strictyaml.Fault

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

// ParseRules is LoadRules on a source; name is the file's name in the errors.
func ParseRules(name string, src []byte) (*Rules, error) {
	var f ruleFile
	source, err := strictyaml.Decode(name, src, &f)
	if err != nil {
		return nil, err
	}
	c := &checker{source: source, file: f}
	rules := &Rules{hash: hashOf(src), list: f.Rules, byID: map[string]*rule{}, clocks: f.Clocks, watch: newWatchSpec()}
	c.check(rules)
	if err := source.Err(); err != nil {
		return nil, err
	}
	return rules, nil
}

func hashOf(src []byte) string {
	h := sha256.Sum256(src)
	return hex.EncodeToString(h[:8])
}

// compile turns the expressions of a rule into programs.
func (c *checker) compile(at string, r *rule, spec *watchSpec) {
	switch r.Kind {
	case ruleEvent, ruleFlag:
		r.raise = c.program(at+".raise", r.Raise, expr.Env(eventEnv{}), expr.AsBool())
	case ruleAbsence:
		r.silentAfter = c.program(at+".silent_after", r.SilentAfter, expr.Env(absenceEnv{}), expr.AsFloat64())
		r.clear = c.program(at+".clear", r.Clear, expr.Env(absenceEnv{}), expr.AsBool())
	case ruleWindow:
		c.compileWindow(at, r, spec)
	}
}

func (c *checker) program(at, code string, options ...expr.Option) *vm.Program {
	if code == "" {
		c.fault(at, wantExpression)
		return nil
	}
	p, err := expr.Compile(code, options...)
	if err != nil {
		c.expressionFault(at, err)
		return nil
	}
	return p
}

const wantExpression = "want an expression"

// expressionFault names the place inside the expression where the compiler does.
func (c *checker) expressionFault(at string, err error) {
	if e, ok := errors.AsType[*file.Error](err); ok {
		c.fault(at, fmt.Sprintf("expression, line %d, column %d: %s", e.Line, e.Column+1, e.Message))
		return
	}
	c.fault(at, "expression: "+err.Error())
}

// fault records what is wrong at a path of the file.
func (c *checker) fault(at, message string) { c.source.Fault(at, message) }
