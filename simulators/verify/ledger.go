package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/telemetry"
)

// key is one message: device, channel and payload. Two publishes of the same bytes are the same message.
type key struct {
	device  string
	channel telemetry.Channel
	sum     [16]byte
}

// line is one message's account, and one line of the ledger's file.
type line struct {
	Device  string            `json:"device"`
	Channel telemetry.Channel `json:"channel"`
	Type    string            `json:"type,omitempty"`
	Boot    uint32            `json:"boot,omitempty"`
	Seq     uint32            `json:"seq,omitempty"`
	TS      int64             `json:"ts,omitempty"`
	On      string            `json:"on,omitempty"` // topic of a message that is not of wh/v1
	Said    []device.Reading  `json:"said,omitempty"`
	Payload []byte            `json:"payload"`
	SentAt  time.Time         `json:"sent_at,omitzero"` // the first time
	Sent    int               `json:"sent"`
	Acked   int               `json:"acked"`
	AckedAt time.Time         `json:"acked_at,omitzero"` // the last one
}

// Ledger is the account. The zero value is not usable; see NewLedger.
type Ledger struct {
	mu    sync.Mutex
	lines map[key]*line
}

// NewLedger makes an empty ledger in memory.
func NewLedger() *Ledger { return &Ledger{lines: map[key]*line{}} }

// Sent books that m is about to be handed to the network. Call it before the write: what was sent and not booked would be foreign.
func (l *Ledger) Sent(m device.Message) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := l.line(m)
	if entry.Sent++; entry.Sent == 1 {
		entry.SentAt = time.Now()
	}
}

// Acked books an acknowledgement of m.
func (l *Ledger) Acked(m device.Message, at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry := l.line(m)
	entry.Acked++
	entry.AckedAt = at
}

func (l *Ledger) line(m device.Message) *line {
	made := &line{
		Device: m.Device, Channel: m.Channel, Type: m.Type, Boot: m.Boot, Seq: m.Seq, TS: m.TS, On: m.On, Said: m.Said, Payload: m.Payload,
	}
	k := made.key()
	if entry, ok := l.lines[k]; ok {
		return entry
	}
	l.lines[k] = made
	return made
}

// key is that of the journal: a topic that is not of wh/v1 names no device there.
func (e *line) key() key {
	if e.On != "" {
		return keyOf("", telemetry.Channel(e.On), e.Payload)
	}
	return keyOf(e.Device, e.Channel, e.Payload)
}

// foreign are the topics not of wh/v1 that something was sent on.
func (l *Ledger) foreign() map[string]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]bool{}
	for _, entry := range l.lines {
		if entry.On != "" {
			out[entry.On] = true
		}
	}
	return out
}

// keyOf makes a key. JSON is compared without its spaces, as tools print it so.
func keyOf(device string, channel telemetry.Channel, payload []byte) key {
	var compact bytes.Buffer
	if json.Compact(&compact, payload) == nil {
		payload = compact.Bytes()
	}
	sum := sha256.Sum256(payload)
	return key{device, channel, [16]byte(sum[:16])}
}

// Totals are all publishes handed to the network and all acknowledgements.
func (l *Ledger) Totals() (sent, acked int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, entry := range l.lines {
		sent += entry.Sent
		acked += entry.Acked
	}
	return sent, acked
}

// Write saves the ledger as JSON lines, so that another process can verify.
func (l *Ledger) Write(w io.Writer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := json.NewEncoder(w)
	for _, entry := range l.lines {
		if err := out.Encode(entry); err != nil {
			return fmt.Errorf("write ledger: %w", err)
		}
	}
	return nil
}

// Read loads what Write saved.
func Read(r io.Reader) (*Ledger, error) {
	l := NewLedger()
	in := json.NewDecoder(r)
	for n := 1; in.More(); n++ {
		entry := &line{}
		if err := in.Decode(entry); err != nil {
			return nil, fmt.Errorf("read ledger: line %d: %w", n, err)
		}
		l.lines[entry.key()] = entry
	}
	return l, nil
}

// Bounds are how many there must and may be.
type Bounds struct{ Least, Most int }

// Readings bounds, by device, how many points its telemetry must have left in the database: distinct messages, as a redelivery
// overwrites itself. Malformed ones leave none.
func (l *Ledger) Readings() map[string]Bounds {
	return l.distinct(func(e *line) bool { return e.Channel == telemetry.ChannelTelemetry && e.TS != 0 })
}

// Calls bounds, by device, how many calls of these event types must have reached the consoles: each a new incident or a further occurrence.
func (l *Ledger) Calls(types ...string) map[string]Bounds {
	wanted := map[string]bool{}
	for _, t := range types {
		wanted[t] = true
	}
	return l.distinct(func(e *line) bool { return e.Channel == telemetry.ChannelEvent && wanted[e.Type] && e.TS != 0 })
}

func (l *Ledger) distinct(counts func(*line) bool) map[string]Bounds {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := map[string]Bounds{}
	for _, entry := range l.lines {
		if !counts(entry) {
			continue
		}
		b := out[entry.Device]
		b.Most++
		if entry.Acked > 0 {
			b.Least++
		}
		out[entry.Device] = b
	}
	return out
}
