package alerts

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"watchhouse/registry"
)

// Actions of a Command.
const (
	ActionAcknowledge   = "acknowledge"
	ActionUnacknowledge = "unacknowledge"
	ActionNote          = "note"
	ActionResolve       = "resolve"
	ActionClose         = "close"
	ActionReopen        = "reopen"
	ActionOpen          = "open" // a manual incident
)

// Command is an operator's action.
type Command struct {
	Key          string // Idempotency-Key of the actor, honoured for 24 hours; "" = none
	Actor        string
	Incident     string
	Action       string   // see the Action constants
	IfVersion    *uint64  // required where NeedsVersion says so, honoured everywhere
	Text         string   // note or reason, at most 2,000 characters
	Disposition  string   // for resolve, see Dispositions
	Rule, Device string   // for open: rule MANUAL or "", a registered device or ""
	Priority     Priority // for open; 0 = of rule MANUAL
}

// Result of a command: the incident after it; the same for a repeated key.
type Result struct {
	Incident *Incident
	Repeated bool
}

// ConflictError is a broken guard: 409 with the current state.
type ConflictError struct {
	Current *Incident
	Reason  string // "version", "state: …", "resolved by reviewer"
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("alerts: conflict with incident %s: %s", e.Current.ID, e.Reason)
}

// InvalidError names the faulty field of a command.
type InvalidError struct{ Field, Want string }

func (e *InvalidError) Error() string { return fmt.Sprintf("alerts: %s: want %s", e.Field, e.Want) }

// ErrNotFound is an unknown incident.
var ErrNotFound = errors.New("alerts: no such incident")

// ErrUndecided is a command whose decision failed by a fault of the program. Nothing was done.
var ErrUndecided = errors.New("alerts: the command cannot be decided")

// NeedsVersion reports whether the action must carry IfVersion.
func NeedsVersion(action string) bool {
	return action != ActionAcknowledge && action != ActionNote && action != ActionOpen
}

// Dispositions lists how an incident may be resolved.
func Dispositions() []string {
	return []string{"real_120", "real_visited", "false_press", "test", "device_fault", "unreachable_visited", "other"}
}

const (
	maxText     = 2000 // characters
	minReason   = 4    // characters that say how a P1 was resolved
	maxKeyBytes = 512
)

// check holds what needs no incident. It is asked before the mailbox.
func (c Command) check() error {
	actions := []string{
		ActionAcknowledge, ActionUnacknowledge, ActionNote, ActionResolve, ActionClose, ActionReopen, ActionOpen,
	}
	text := strings.TrimSpace(c.Text)
	switch {
	case !slices.Contains(actions, c.Action):
		return &InvalidError{"action", strings.Join(actions, ", ")}
	case c.Actor == "" || c.Actor == engineActor:
		return &InvalidError{"actor", "the name of a user"}
	case !utf8.ValidString(c.Text) || utf8.RuneCountInString(c.Text) > maxText:
		return &InvalidError{"text", fmt.Sprintf("at most %d characters", maxText)}
	case len(c.Key) > maxKeyBytes || !utf8.ValidString(c.Key):
		return &InvalidError{"idempotency_key", fmt.Sprintf("at most %d bytes of UTF-8", maxKeyBytes)}
	case c.Action == ActionNote && text == "":
		return &InvalidError{"text", "a note"}
	case c.Disposition != "" && !slices.Contains(Dispositions(), c.Disposition):
		return &InvalidError{"disposition", strings.Join(Dispositions(), ", ")}
	case NeedsVersion(c.Action) && c.IfVersion == nil:
		return &InvalidError{"if_match", "the version of the incident that was seen"}
	case c.Action == ActionOpen:
		return c.checkOpen(text)
	}
	return nil
}

func (c Command) checkOpen(text string) error {
	switch {
	case c.Rule != "" && c.Rule != manualRule:
		return &InvalidError{"rule", manualRule}
	case c.Priority < 0 || c.Priority > 4:
		return &InvalidError{"priority", "1 to 4"}
	case text == "":
		return &InvalidError{"text", "what was reported"}
	}
	return nil
}

// idempotencyKey is the actor's own: two users may choose the same.
func (c Command) idempotencyKey() string {
	if c.Key == "" {
		return ""
	}
	return c.Actor + "\x00" + c.Key
}

// digest tells a repetition from another command under the same key. The version is left out: a page that retries may have
// seen its own change meanwhile.
func (c Command) digest() string {
	c.Key, c.IfVersion = "", nil
	b, err := json.Marshal(c)
	if err != nil { // a struct of strings and numbers always encodes
		return ""
	}
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

// decideCommand gives the step of a command, or nil with the result of one that changes nothing.
func (d *decider) decideCommand(b *book, p places, c Command, nowMS int64, cur cursors) (*step, Result, error) {
	key, digest := c.idempotencyKey(), c.digest()
	if old, ok := b.commands[key]; ok && key != "" && old.At+keep > max(nowMS, b.now) {
		if old.Digest != digest {
			return nil, Result{}, &InvalidError{"idempotency_key", "a new key: this one was used for another command"}
		}
		return nil, Result{Incident: old.Incident, Repeated: true}, nil
	}
	x := d.draft(b, p, causeCommand, nowMS)
	after, err := x.run(c, p)
	if err != nil {
		return nil, Result{}, err
	}
	s := x.finish(cur)
	if s != nil {
		s.Command = &commandKey{Key: key, Digest: digest, Incident: after.ID}
	}
	return s, Result{Incident: after}, nil
}

func (x *draft) run(c Command, p places) (*Incident, error) {
	if c.Action == ActionOpen {
		return x.openManual(c, p)
	}
	was, ok := x.incident(c.Incident)
	if !ok {
		return nil, ErrNotFound
	}
	if c.IfVersion != nil && *c.IfVersion != was.Version {
		return nil, &ConflictError{was, "version"}
	}
	switch c.Action {
	case ActionAcknowledge:
		return x.acknowledge(was, c)
	case ActionUnacknowledge:
		return x.unacknowledge(was, c)
	case ActionNote:
		i := was.clone()
		x.emit(KindNoted, c.Actor, c.Text, was.State, i)
		return i, nil
	case ActionResolve:
		return x.resolve(was, c)
	case ActionClose:
		return x.closeByHand(was, c)
	default:
		return x.reopen(was, c)
	}
}

// openManual enters what came by telephone, on patrol or from the city's line. Each entry is an incident of its own: a
// person has looked at the others and decided so.
func (x *draft) openManual(c Command, p places) (*Incident, error) {
	var device registry.Device
	if c.Device != "" {
		var ok bool
		if device, ok = p.Device(c.Device); !ok {
			return nil, &InvalidError{"device", "a registered device, or none"}
		}
	}
	r := x.rules.byID[manualRule]
	return x.raise(r, signal{
		device: c.Device, area: device.Area, person: device.Person, at: x.step.Now, actor: c.Actor, text: c.Text,
		priority: c.Priority, key: manualRule + ":" + incidentID(x.epoch, x.step.Now, x.next()),
	}), nil
}
