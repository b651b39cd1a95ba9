package scenario

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed story.yaml
var story []byte

// Story is the demonstration's.
func Story() (*Scenario, error) { return Parse("story.yaml", story) }

// Parse reads and checks a scenario; name stands in the errors.
func Parse(name string, text []byte) (*Scenario, error) {
	tree, s, err := decode(text)
	if err != nil {
		return nil, placed(name, err)
	}
	c := checker{name: name, tree: tree}
	c.scenario(s)
	if len(c.faults) > 0 {
		return nil, errors.Join(c.faults...)
	}
	return s, nil
}

// decode contains the library's panics: it has one for a tag with nothing behind it, for instance.
func decode(text []byte) (tree *ast.File, s *Scenario, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("not readable as YAML: %v", fault)
		}
	}()
	if tree, err = parser.ParseBytes(text, 0); err != nil {
		return nil, nil, err
	}
	s = &Scenario{}
	return tree, s, yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(s)
}

// placed turns a decoder's error into file:line:column: message.
func placed(name string, err error) error {
	var at yaml.Error
	if errors.As(err, &at) && at.GetToken() != nil {
		p := at.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, p.Line, p.Column, at.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// checker collects the faults that the types cannot show.
type checker struct {
	name   string
	tree   *ast.File
	faults []error
}

// fault notes what is wrong at a path such as $.steps[2].do, or at the nearest parent that stands in the file.
func (c *checker) fault(path, want string, have any) {
	for at := path; at != "$"; at = at[:strings.LastIndexAny(at, ".[")] {
		p, err := yaml.PathString(at)
		if err != nil {
			continue
		}
		node, err := p.FilterFile(c.tree)
		if err != nil || node == nil || node.GetToken() == nil {
			continue
		}
		pos := node.GetToken().Position
		c.faults = append(c.faults, fmt.Errorf("%s:%d:%d: %s: want %s, have %v", c.name, pos.Line, pos.Column, path[2:], want, have))
		return
	}
	c.faults = append(c.faults, fmt.Errorf("%s: %s: want %s, have %v", c.name, path[2:], want, have))
}

func (c *checker) scenario(s *Scenario) {
	if s.Name == "" {
		c.fault("$.name", "a name", "none")
	}
	if len(s.Steps) == 0 {
		c.fault("$.steps", "at least one step", "none")
	}
	for i := range s.Steps {
		path := fmt.Sprintf("$.steps[%d]", i)
		if i > 0 && s.Steps[i].At < s.Steps[i-1].At {
			c.fault(path+".at", "no earlier than the step before", s.Steps[i].At)
		}
		if s.Steps[i].Weight != 0 {
			c.fault(path+".weight", "a weight only in a loop", s.Steps[i].Weight)
		}
		c.step(path, &s.Steps[i])
	}
	c.loop(s.Loop)
}

func (c *checker) loop(l *Loop) {
	if l == nil {
		return
	}
	if l.Least <= 0 || l.Most < l.Least {
		c.fault("$.loop.least", "0 < least <= most", fmt.Sprintf("%v and %v", l.Least, l.Most))
	}
	if len(l.Pick) == 0 {
		c.fault("$.loop.pick", "at least one step", "none")
	}
	for i := range l.Pick {
		path := fmt.Sprintf("$.loop.pick[%d]", i)
		if l.Pick[i].Weight < 1 || l.Pick[i].At != 0 {
			c.fault(path, "a weight of at least 1 and no at", fmt.Sprintf("weight %d, at %v", l.Pick[i].Weight, l.Pick[i].At))
		}
		c.step(path, &l.Pick[i])
	}
}

// step checks one step and fills in what follows from the rest.
func (c *checker) step(path string, s *Step) {
	need, ok := map[string]string{
		DoEvent: "type", DoSend: "payload", DoCut: "for", DoRepeat: "", DoSilence: "", DoSpeak: "", DoFaults: "", DoReboot: "", DoNothing: "",
		DoFill: "stream", DoCollect: "stream", DoBurn: "", DoQuench: "",
	}[s.Do]
	if !ok {
		c.fault(path+".do", "event, repeat, send, cut, silence, speak, faults, reboot, fill, collect, burn, quench or watch", fmt.Sprintf("%q", s.Do))
	}
	if s.Device == "" && s.Do != DoNothing {
		c.fault(path+".device", "an id or any:KIND", "none")
	}
	have := map[string]bool{"": true, "type": s.Type != "", "payload": s.Payload != "", "for": s.For > 0, "stream": s.Stream != ""}
	if !have[need] {
		c.fault(path+"."+need, "a value, as "+s.Do+" needs it", "none")
	}
	if !(s.Pct >= 0 && s.Pct <= 100) { // nor NaN
		c.fault(path+".pct", "0 to 100", s.Pct)
	}
	if s.Channel == "" {
		s.Channel = "event"
	}
	s.Times = max(1, s.Times)
	if e := s.Expect; e != nil && e.Within <= 0 {
		c.fault(path+".expect.within", "how long to wait", e.Within)
	}
}
