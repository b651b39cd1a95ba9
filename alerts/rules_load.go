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
	"watchhouse/telemetry"
)

//go:embed rules.yaml
var shipped []byte

// RuleError is one fault of a rule file. Line and Column count from 1.
type RuleError = strictyaml.FaultError

// ruleFile is the form of the YAML.
type ruleFile struct {
	Version int                 `yaml:"version"`
	Clocks  map[Priority]clocks `yaml:"clocks"`
	Rules   []*rule             `yaml:"rules"`
}

// RuleSource is a rule file and its name in errors.
type RuleSource struct {
	Name string
	Text []byte
}

// LoadRules reads, compiles and checks a rule file, "" being the shipped one, and files that add rules to it. Faults in a file
// are *RuleError, joined.
func LoadRules(path string, added ...string) (*Rules, error) {
	first := RuleSource{"rules.yaml", shipped}
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		first = RuleSource{path, text}
	}
	more := make([]RuleSource, 0, len(added))
	for _, name := range added {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read rules: %w", err)
		}
		more = append(more, RuleSource{name, text})
	}
	return ParseRules(first, more...)
}

// ParseRules is LoadRules on sources.
func ParseRules(first RuleSource, added ...RuleSource) (*Rules, error) {
	rules := &Rules{byID: map[string]*rule{}, watch: newWatchSpec(), fireKinds: map[telemetry.Kind]bool{}}
	c, err := rules.add(first)
	if err != nil {
		return nil, err
	}
	c.checkWhole(rules)
	faults := []error{c.source.Err()}
	for _, s := range added {
		c, err := rules.add(s)
		if err == nil {
			err = c.source.Err()
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return rules, nil
}

// add takes one file in: the first brings the clocks, the others only rules.
func (r *Rules) add(s RuleSource) (*checker, error) {
	c := &checker{}
	var err error
	if c.source, err = strictyaml.Decode(s.Name, s.Text, &c.file); err != nil {
		return nil, err
	}
	switch {
	case r.hash == "":
		r.hash, r.clocks = hashOf(s.Text), c.file.Clocks
		c.checkClocks(r)
	case c.file.Clocks != nil:
		c.fault("$.clocks", "an added file has rules only")
	}
	r.list, r.hash = append(r.list, c.file.Rules...), hashOf([]byte(r.hash+string(s.Text)))
	c.check(r)
	return c, nil
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
