package journal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// CatOptions choose what Cat prints.
type CatOptions struct {
	Lane   LaneName  // empty: all, event first
	Device string    // empty: every device
	Since  time.Time // zero: everything kept
	Ticks  bool      // the watermarks, too
	Follow bool      // go on at the head until ctx ends; needs Lane
}

// catLine is one line of output. At is Unix ms; Kind is left out for what a device published.
type catLine struct {
	Lane     LaneName        `json:"lane"`
	Position string          `json:"position"`
	ID       uint64          `json:"id"`
	At       int64           `json:"at"`
	Device   string          `json:"device"`
	Topic    string          `json:"topic"`
	Kind     string          `json:"kind,omitempty"`
	Payload  json.RawMessage `json:"payload"`
	Base64   []byte          `json:"payload_base64,omitempty"` // of a payload that is not UTF-8, as it was
	Cut      int             `json:"payload_bytes,omitempty"`  // length as sent, of a payload that was kept in part
}

// AppendJSON appends an entry as one line of JSON without the newline: lane, position, id, at (Unix ms), device, topic,
// payload as the JSON it was, else as a string, with base64 beside when that string is not what was sent.
func AppendJSON(b []byte, lane LaneName, e Entry) ([]byte, error) {
	line := catLine{
		Lane: lane, Position: e.Pos.String(), ID: e.ID, At: e.ReceivedNS / int64(time.Millisecond),
		Device: e.Device, Topic: e.Topic, Payload: payloadJSON(e.Payload), Cut: e.Cut,
	}
	if !utf8.Valid(e.Payload) {
		line.Base64 = e.Payload
	}
	if e.Kind != Publish {
		line.Kind = e.Kind.String()
	}
	buf := bytes.NewBuffer(b)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return b, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// payloadJSON keeps valid JSON in UTF-8 as it is, numbers included, and quotes everything else.
func payloadJSON(p []byte) json.RawMessage {
	if utf8.Valid(p) && json.Valid(p) {
		return p
	}
	s, err := json.Marshal(string(p))
	if err != nil {
		return json.RawMessage("null") // cannot be: a string always marshals
	}
	return s
}

// Cat prints entries as lines of JSON. Gaps are passed over and returned as an error at the end.
func (j *Journal) Cat(ctx context.Context, w io.Writer, o CatOptions) error {
	lanes := []LaneName{EventLane, StateLane, TelemetryLane}
	if o.Lane != "" {
		lanes = []LaneName{o.Lane}
	}
	if o.Follow && o.Lane == "" {
		return errors.New("journal cat: following needs a lane")
	}
	out := bufio.NewWriter(w)
	var errs []error
	for _, n := range lanes {
		l, ok := j.lanes[n]
		if !ok {
			return fmt.Errorf("%w: lane %q (want event, state or telemetry)", ErrNotFound, n)
		}
		if l.log == nil && o.Lane == "" {
			continue
		}
		errs = append(errs, l.cat(ctx, out, o))
	}
	return errors.Join(append(errs, out.Flush())...)
}

// catBatch is how many entries are read at a time.
const catBatch = 1000

func (l *Lane) cat(ctx context.Context, out *bufio.Writer, o CatOptions) error {
	pos, err := l.Since(ctx, o.Since)
	if err != nil {
		return err
	}
	var gaps []error
	for {
		entries, next, err := l.Read(ctx, pos, catBatch)
		if gap, ok := errors.AsType[*GapError](err); ok {
			gaps = append(gaps, gap)
			pos = gap.Resume
			continue
		}
		if err != nil {
			return errors.Join(append(gaps, err)...)
		}
		if err := printEntries(out, l.name, entries, o); err != nil {
			return err
		}
		pos = next
		if len(entries) > 0 {
			continue
		}
		if !o.Follow {
			return errors.Join(gaps...)
		}
		if err := errors.Join(out.Flush(), l.Wait(ctx, pos)); err != nil {
			return errors.Join(append(gaps, err)...)
		}
	}
}

func printEntries(out *bufio.Writer, lane LaneName, entries []Entry, o CatOptions) error {
	var line []byte
	for _, e := range entries {
		if e.Kind == Tick && !o.Ticks || o.Device != "" && e.Device != o.Device || e.ReceivedNS < sinceNS(o.Since) {
			continue
		}
		var err error
		if line, err = AppendJSON(line[:0], lane, e); err != nil {
			return err
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

func sinceNS(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// Since gives a position before which nothing was received after t: the end of the last frame sealed before t.
func (l *Lane) Since(ctx context.Context, t time.Time) (Position, error) {
	if l.log == nil {
		return Position{}, l.file.unavailable()
	}
	if t.IsZero() {
		return Position{}, nil
	}
	first, last, err := l.log.Bounds(ctx)
	if err != nil || last == 0 {
		return Position{}, translate(err)
	}
	seq, err := l.olderThan(ctx, t.UnixNano(), first, last)
	if err != nil || seq < first {
		return Position{}, err
	}
	return Position{Frame: seq}, nil
}
