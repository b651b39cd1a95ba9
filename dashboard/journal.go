package dashboard

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"watchhouse/journal"
	"watchhouse/registry"
)

const (
	maxShownPayload = 8 << 10
	// maxScanned bounds one listing: a filter that matches little answers what it found and a cursor to go on.
	maxScanned = 20_000
)

type journalInput struct {
	Lane   string `query:"lane" default:"event" enum:"event,state,telemetry"`
	Device string `query:"device" maxLength:"64"`
	PageParams
}

func (s *Server) journalRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-journal", method: http.MethodGet, path: "/journal", may: registry.PermJournal,
		summary: "Raw messages as received, newest first; a page may be short when a filter matches little",
	}, s.listJournal)
	for _, stream := range []struct{ id, path, name, summary string }{
		{"list-rejects", "/journal/rejects", "rejects", "Refused messages with their reasons, newest first"},
		{"list-deadletters", "/journal/deadletters", "deadletter", "Messages nothing could decode, newest first"},
	} {
		handle(s, api, operation{
			id: stream.id, method: http.MethodGet, path: stream.path, may: registry.PermJournal, summary: stream.summary,
		}, func(ctx context.Context, in *PageParams) (*pageOutput[SideRecord], error) {
			return s.listSide(ctx, stream.name, in)
		})
	}
}

func (s *Server) listJournal(ctx context.Context, in *journalInput) (*pageOutput[JournalEntry], error) {
	lane := s.journal.Lane(journal.LaneName(in.Lane))
	before := lane.Head()
	if in.Cursor != "" {
		parts, err := decodeCursor(in.Cursor, 1)
		if err != nil {
			return nil, err
		}
		if before, err = journal.ParsePosition(parts[0]); err != nil {
			return nil, badCursor()
		}
	}
	b := backward{lane: lane, before: before, scan: maxScanned}
	var out []JournalEntry
	for len(out) < in.Limit {
		e, ok, err := b.next(ctx)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		if in.Device == "" || e.Device == in.Device {
			out = append(out, journalEntry(in.Lane, e))
		}
	}
	if b.exhausted() {
		return page(out, ""), nil
	}
	return page(out, encodeCursor(b.before.String())), nil
}

// reader is a *journal.Lane.
type reader interface {
	Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error)
	First() journal.Position
}

// backward reads a lane from a position towards its beginning: by a few frames at a time, as a lane only reads forward.
type backward struct {
	lane   reader
	before journal.Position // what is to come lies before it
	scan   int              // entries it may still read
	chunk  []journal.Entry  // read, oldest first, all before before
	done   bool
}

func (b *backward) next(ctx context.Context) (journal.Entry, bool, error) {
	for len(b.chunk) == 0 {
		if b.exhausted() || b.scan <= 0 {
			return journal.Entry{}, false, nil
		}
		if err := b.fill(ctx); err != nil {
			return journal.Entry{}, false, err
		}
	}
	e := b.chunk[len(b.chunk)-1]
	b.chunk = b.chunk[:len(b.chunk)-1]
	b.before = e.Pos
	return e, true, nil
}

func (b *backward) exhausted() bool {
	return len(b.chunk) == 0 && (b.done || b.before.Compare(b.lane.First()) <= 0)
}

// fill reads the frames before b.before: two of them, then twice as many as long as they are empty.
func (b *backward) fill(ctx context.Context) error {
	first := b.lane.First()
	from := journal.Position{Frame: b.before.Frame - min(b.before.Frame, 1)}
	for back := uint64(1); ; back *= 2 {
		if from.Compare(first) <= 0 {
			from, b.done = first, true
		}
		if err := b.read(ctx, from); err != nil {
			return err
		}
		if len(b.chunk) > 0 || b.done {
			return nil
		}
		from.Frame -= min(from.Frame, back)
	}
}

func (b *backward) read(ctx context.Context, from journal.Position) error {
	for from.Compare(b.before) < 0 {
		entries, next, err := b.lane.Read(ctx, from, 1024)
		var gap *journal.GapError
		if err != nil && !errors.As(err, &gap) {
			return fmt.Errorf("read the journal: %w", err)
		}
		for _, e := range entries {
			if e.Pos.Compare(b.before) < 0 {
				b.chunk = append(b.chunk, e)
			}
		}
		b.scan -= len(entries)
		if gap != nil {
			next = gap.Resume
		} else if len(entries) == 0 {
			return nil
		}
		from = next
	}
	return nil
}

func journalEntry(lane string, e journal.Entry) JournalEntry {
	out := JournalEntry{
		Lane: lane, Position: e.Pos.String(), ID: e.ID, At: e.ReceivedNS / int64(time.Millisecond), Kind: kindName(e.Kind),
		Device: e.Device, Client: e.Client, Topic: e.Topic, QoS: int(e.QoS), Retain: e.Retain, Dup: e.Dup,
	}
	payload := e.Payload
	if len(payload) > maxShownPayload {
		payload, out.Truncated = payload[:maxShownPayload], true
	}
	out.Payload = jsonOrString(payload, !out.Truncated)
	return out
}

// jsonOrString is b itself if it is JSON, else a JSON string of it.
func jsonOrString(b []byte, whole bool) json.RawMessage {
	if whole && json.Valid(b) {
		return b
	}
	s, err := json.Marshal(string(b))
	if err != nil {
		return json.RawMessage(`""`) // can not be: any string can be encoded
	}
	return s
}

func kindName(k journal.Kind) string {
	switch k {
	case journal.Publish:
		return "publish"
	case journal.Will:
		return "will"
	case journal.Connect:
		return "connect"
	case journal.Disconnect:
		return "disconnect"
	case journal.HubStart:
		return "hub_start"
	case journal.Tick:
		return "tick"
	}
	return "unknown"
}

// side is a *journal.Stream.
type side interface {
	List(ctx context.Context, n uint64, limit int) ([]journal.Record, error)
}

func (s *Server) listSide(ctx context.Context, name string, in *PageParams) (*pageOutput[SideRecord], error) {
	before, err := parseNumberCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	records, err := lastRecords(ctx, s.journal.Stream(name), before, in.Limit)
	if err != nil {
		return nil, err
	}
	out := make([]SideRecord, len(records))
	for i, r := range records {
		out[i] = SideRecord{N: r.N, At: r.AtNS / int64(time.Millisecond), Record: jsonOrString(r.Body, true)}
	}
	if len(records) < in.Limit || records[len(records)-1].N == 1 {
		return page(out, ""), nil
	}
	return page(out, numberCursor(records[len(records)-1].N)), nil
}

// lastRecords returns up to limit records before number before (0 = the end), newest first.
func lastRecords(ctx context.Context, s side, before uint64, limit int) ([]journal.Record, error) {
	if before == 0 {
		last, err := lastNumber(ctx, s)
		if err != nil {
			return nil, err
		}
		before = last + 1
	}
	var records []journal.Record
	if before > 1 {
		from := max(1, before-min(before, uint64(limit)))
		var err error
		if records, err = s.List(ctx, from, int(before-from)); err != nil {
			return nil, fmt.Errorf("list records: %w", err)
		}
	}
	records = slices.DeleteFunc(slices.Clone(records), func(r journal.Record) bool { return r.N >= before })
	slices.Reverse(records)
	return records, nil
}

// lastNumber finds the end of a side log, which can only be listed forward, by halving: about forty small reads.
func lastNumber(ctx context.Context, s side) (uint64, error) {
	after := func(n uint64) (bool, error) {
		records, err := s.List(ctx, n, 1)
		if err != nil {
			return false, fmt.Errorf("list records: %w", err)
		}
		return len(records) > 0, nil
	}
	low, high := uint64(0), uint64(1) // there is something from low on (or low is 0), nothing from high on
	for {
		some, err := after(high)
		if err != nil {
			return 0, err
		}
		if !some {
			break
		}
		low, high = high, high*2
	}
	for high-low > 1 {
		middle := low + (high-low)/2
		some, err := after(middle)
		if err != nil {
			return 0, err
		}
		if some {
			low = middle
		} else {
			high = middle
		}
	}
	return low, nil
}
