package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

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
	Device string `query:"device" maxLength:"64" doc:"That sent a message, or that a gateway or a bridge speaks of in it."`
	PageParams
}

func (s *Server) journalRoutes(api huma.API) {
	handle(s, api, operation{
		id: "list-journal", method: http.MethodGet, path: "/journal", may: registry.PermJournal,
		summary: "Raw messages as received, newest first, without the lanes' ticks; a page may be short when a filter matches little",
	}, s.listJournal)
	handle(s, api, operation{
		id: "list-rejects", method: http.MethodGet, path: "/journal/rejects", may: registry.PermJournal,
		summary: "Refused messages with their reasons, newest first",
	}, func(ctx context.Context, in *PageParams) (*pageOutput[SideRecord], error) {
		records, next, err := s.side(ctx, "rejects", in)
		if err != nil {
			return nil, err
		}
		out := make([]SideRecord, len(records))
		for i, r := range records {
			out[i] = sideRecord(r)
		}
		return page(out, next), nil
	})
}

func (s *Server) listJournal(ctx context.Context, in *journalInput) (*pageOutput[JournalEntry], error) {
	before, err := parseNumberCursor(in.Cursor)
	if err != nil {
		return nil, err
	}
	out, view := []JournalEntry{}, s.registry.View()
	before, err = backward(ctx, s.journal.Lane(journal.LaneName(in.Lane)), before, func(e journal.Entry) bool {
		if e.Kind != journal.Tick && (in.Device == "" || concerns(view, e, in.Device)) {
			out = append(out, journalEntry(in.Lane, e))
		}
		return len(out) < in.Limit
	})
	if err != nil {
		return nil, err
	}
	return page(out, numberCursor(before)), nil
}

// concerns reports whether a device sent a message, or somebody else for it.
func concerns(view *registry.View, e journal.Entry, device string) bool {
	if e.Device == device {
		return true
	}
	o, err := view.Locate(e.Topic, e.Device)
	if err != nil {
		return false
	}
	for part := range o.All(e.Payload) {
		if part.Topic.Device == device {
			return true
		}
	}
	return false
}

// lane is a *journal.Lane.
type lane interface {
	Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error)
	Locate(ctx context.Context, id uint64) (journal.Position, error)
	First() journal.Position
	Depth(p journal.Position) uint64
}

// backward visits entries newest first from number before on (not included; 0 = the end) until visit says no, maxScanned
// are visited or the beginning is reached, and returns where to go on, 0 = nowhere. A lane only reads forward, so it takes
// a stretch of numbers at a time.
func backward(ctx context.Context, l lane, before uint64, visit func(journal.Entry) bool) (uint64, error) {
	first, last, err := bounds(ctx, l)
	if err != nil || last == 0 {
		return 0, err
	}
	if before == 0 || before > last {
		before = last + 1
	}
	stop := before - min(before, maxScanned)
	for before > first && before > stop {
		from := max(first, before-min(before, stretch))
		entries, err := numbered(ctx, l, from, before)
		if err != nil {
			return 0, err
		}
		for _, e := range slices.Backward(entries) {
			if before = e.ID; !visit(e) {
				return beyond(before, first), nil
			}
		}
		before = from
	}
	return beyond(before, first), nil
}

// stretch is how many entries are read at a time.
const stretch = 512

func beyond(before, first uint64) uint64 {
	if before <= first {
		return 0
	}
	return before
}

// bounds are the numbers of the first and last entry kept, 0 and 0 if there is none.
func bounds(ctx context.Context, l lane) (first, last uint64, err error) {
	at := l.First()
	for {
		entries, _, err := l.Read(ctx, at, 1)
		var gap *journal.GapError
		switch {
		case errors.As(err, &gap):
			at = gap.Resume
		case err != nil:
			return 0, 0, fmt.Errorf("read the journal: %w", err)
		case len(entries) == 0:
			return 0, 0, nil
		default:
			return entries[0].ID, entries[0].ID + l.Depth(entries[0].Pos) - 1, nil
		}
	}
}

// numbered reads the entries from number from to before number to, oldest first, stepping over gaps.
func numbered(ctx context.Context, l lane, from, to uint64) ([]journal.Entry, error) {
	at, err := l.Locate(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("locate in the journal: %w", err)
	}
	var out []journal.Entry
	for {
		entries, next, err := l.Read(ctx, at, int(to-from))
		var gap *journal.GapError
		if err != nil && !errors.As(err, &gap) {
			return nil, fmt.Errorf("read the journal: %w", err)
		}
		for _, e := range entries {
			if e.ID >= to {
				return out, nil
			}
			out = append(out, e)
		}
		if at = next; gap != nil {
			at = gap.Resume
		} else if len(entries) == 0 {
			return out, nil
		}
	}
}

func journalEntry(lane string, e journal.Entry) JournalEntry {
	out := JournalEntry{
		Lane: lane, Position: e.Pos.String(), ID: e.ID, At: e.ReceivedNS / int64(time.Millisecond), Kind: kindName(e.Kind),
		Device: e.Device, Client: e.Client, Topic: e.Topic, QoS: int(e.QoS), Retain: e.Retain, Dup: e.Dup,
	}
	payload := e.Payload
	out.Truncated = e.Cut > 0
	if len(payload) > maxShownPayload {
		payload, out.Truncated = payload[:maxShownPayload], true
	}
	if out.Payload = jsonOrString(payload, !out.Truncated); !utf8.Valid(payload) && !out.Truncated {
		out.Base64 = payload
	}
	return out
}

// jsonOrString is b itself if it is JSON in UTF-8, else a JSON string of it; of what is not UTF-8, the replacement character stands.
func jsonOrString(b []byte, whole bool) json.RawMessage {
	if b = bytes.ToValidUTF8(b, []byte("\uFFFD")); whole && json.Valid(b) {
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

// side reads a page of a stream, newest first, and where the next one begins.
func (s *Server) side(ctx context.Context, name string, in *PageParams) ([]journal.Record, string, error) {
	before, err := parseNumberCursor(in.Cursor)
	if err != nil {
		return nil, "", err
	}
	stream := s.journal.Stream(name)
	if last := stream.Last(); before == 0 || before > last {
		before = last + 1
	}
	from := max(1, before-min(before, uint64(in.Limit)))
	if from >= before {
		return nil, "", nil
	}
	records, err := stream.List(ctx, from, int(before-from))
	if err != nil {
		return nil, "", fmt.Errorf("list records: %w", err)
	}
	records = slices.DeleteFunc(records, func(r journal.Record) bool { return r.N >= before }) // the older ones are purged
	if from == 1 || len(records) == 0 {
		from = 0
	}
	slices.Reverse(records)
	return records, numberCursor(from), nil
}

func sideRecord(r journal.Record) SideRecord {
	return SideRecord{N: r.N, At: r.AtNS / int64(time.Millisecond), Record: jsonOrString(r.Body, true)}
}
