package scenario

import (
	"time"

	"watchhouse/simulators/device"
)

// Scenario is one file.
type Scenario struct {
	Name  string `yaml:"name"`
	Title Text   `yaml:"title"`
	Steps []Step `yaml:"steps"`
	Loop  *Loop  `yaml:"loop"`
}

// Text in both languages of the product.
type Text struct {
	ZH string `yaml:"zh"`
	EN string `yaml:"en"`
}

// Step is one thing that happens.
type Step struct {
	At      time.Duration `yaml:"at"`      // since the start; in a loop the weight decides instead
	Weight  int           `yaml:"weight"`  // in a loop: how often among the others
	Say     Text          `yaml:"say"`     // for who watches
	Do      string        `yaml:"do"`      // one of the actions below
	Device  string        `yaml:"device"`  // an id, or any:KIND for one at random
	Type    string        `yaml:"type"`    // event: its type
	Times   int           `yaml:"times"`   // event, repeat: how often (default 1)
	For     time.Duration `yaml:"for"`     // cut: how long the link stays down
	Stream  string        `yaml:"stream"`  // fill, collect: the bin
	Pct     float64       `yaml:"pct"`     // fill: the level
	Channel string        `yaml:"channel"` // send
	Payload string        `yaml:"payload"` // send
	Faults  device.Faults `yaml:"faults"`  // faults
	Expect  *Expect       `yaml:"expect"`
}

// The actions.
const (
	DoEvent   = "event"   // the device says that something happened
	DoRepeat  = "repeat"  // its last event again, byte for byte
	DoSend    = "send"    // a payload as it stands
	DoCut     = "cut"     // its link breaks
	DoSilence = "silence" // its heartbeats stop
	DoSpeak   = "speak"   // and go on
	DoFaults  = "faults"  // it gets faults; none heals it
	DoReboot  = "reboot"
	DoFill    = "fill"    // a point's bin of a stream gets to a level and stays there
	DoCollect = "collect" // and is emptied
	DoBurn    = "burn"    // a garage burns
	DoQuench  = "quench"  // and does no longer
	DoNothing = "watch"   // only the expectation counts
)

// Expect is a transition that must be seen, or must not.
type Expect struct {
	Rule     string        `yaml:"rule"`
	Device   string        `yaml:"device"` // default: the step's
	Priority int           `yaml:"priority"`
	Kind     string        `yaml:"kind"` // raised, occurrence, recovered…
	Badge    string        `yaml:"badge"`
	Within   time.Duration `yaml:"within"`
	None     bool          `yaml:"none"` // nothing of the sort within that time
}

// Loop goes on after the last step: every now and then one of Pick.
type Loop struct {
	Least time.Duration `yaml:"least"`
	Most  time.Duration `yaml:"most"`
	Pick  []Step        `yaml:"pick"`
}
