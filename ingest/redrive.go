package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"watchhouse/journal"
)

// Outcome of driving a dead letter again.
type Outcome string

// Outcomes. Only a stored letter is recorded as redriven; the others stay as they are and may be tried again.
const (
	OutcomeStored      Outcome = "stored"      // every reading of the message is in the database
	OutcomeUndecodable Outcome = "undecodable" // what was wrong with the message still is
	OutcomeRefused     Outcome = "refused"     // the database still refuses a point or a field of it
	OutcomeGone        Outcome = "gone"        // neither the lane nor the letter holds the message
)

// Redriven is what came of driving a dead letter again.
type Redriven struct {
	Outcome Outcome `json:"outcome" enum:"stored,undecodable,refused,gone"`
	Points  int     `json:"points" doc:"Readings stored now, also beside what is still at fault."`
	Reason  string  `json:"reason" doc:"Why the message is not stored whole; empty when it is."`
}

// Redrive takes the message of dead letter n again, from its lane or else from the letter, decodes it with what the hub knows
// now, writes its points and, after the server's 204, records the letter as redriven. Points keep the times that they would
// have had, so a repeat, also one after a crash in between, overwrites itself. It writes once and waits for no outage.
// Errors are journal.ErrNotFound for a letter that is not kept, ErrUnavailable for a database that does not accept, and the
// journal's.
func (i *Ingest) Redrive(ctx context.Context, n uint64) (Redriven, error) {
	if i.db == nil {
		return Redriven{}, ErrNotConfigured
	}
	record, err := i.dead.letter(ctx, n)
	if err != nil {
		return Redriven{}, err
	}
	about, err := i.dead.message(ctx, record.Body)
	if err != nil {
		return Redriven{}, err
	}
	if about.entry == nil {
		return Redriven{Outcome: OutcomeGone, Reason: about.gone}, nil
	}
	out, err := i.again(ctx, about)
	if err != nil || out.Outcome != OutcomeStored {
		return out, err
	}
	return out, i.dead.note(ctx, record)
}

// RedrivenAt gives the times, in Unix ms by number, at which those of the records were redriven that were.
func (i *Ingest) RedrivenAt(ctx context.Context, records []journal.Record) (map[uint64]int64, error) {
	return i.dead.noted(ctx, records)
}

// letterList keeps the letters of one message.
type letterList []DeadLetter

func (l *letterList) add(d DeadLetter) { *l = append(*l, d) }

// again decodes and writes one message.
func (i *Ingest) again(ctx context.Context, about subject) (Redriven, error) {
	var faults letterList
	dec := decoder{lane: about.lane, again: true, letters: &faults, stats: &meter{}, fields: newFieldLimit()}
	points := dec.decode(nil, about.entry, i.devices())
	if len(points) == 0 {
		reason := "it holds no number"
		if about.lane != journal.TelemetryLane {
			reason = "it is no measurement, and calls are the alert engine's"
		}
		if len(faults) > 0 {
			reason = faults[0].Reason
		}
		return Redriven{Outcome: OutcomeUndecodable, Reason: "nothing for the time series: " + reason}, nil
	}
	d := &delivery{i: i, lane: about.lane, once: true}
	if err := d.put(ctx, points); err != nil && !errors.Is(err, errDoubt) {
		return Redriven{}, err
	}
	i.stats.count(func(s *Stats) { s.Written += uint64(d.accepted) })
	switch {
	case len(d.refused) > 0:
		return Redriven{OutcomeRefused, d.accepted, "the database refuses it: " + d.refused[0].reason}, nil
	case len(faults) > 0:
		return Redriven{OutcomeUndecodable, d.accepted, faults[0].Reason}, nil
	}
	return Redriven{Outcome: OutcomeStored, Points: d.accepted}, nil
}

// deadLetters finds letters and their messages, and keeps which were redriven.
type deadLetters struct {
	stream *journal.Stream
	lane   func(journal.LaneName) *journal.Lane
	done   *journal.KV // in life.db: the stream may drop what is added to it
}

// letter gives the record of that number.
func (d deadLetters) letter(ctx context.Context, n uint64) (journal.Record, error) {
	records, err := d.stream.List(ctx, n, 1)
	if err != nil {
		return journal.Record{}, fmt.Errorf("read dead letter %d: %w", n, err)
	}
	if len(records) == 0 || records[0].N != n {
		return journal.Record{}, fmt.Errorf("dead letter %d: %w", n, journal.ErrNotFound)
	}
	return records[0], nil
}

// anyLetter is a letter of this package, or one of the alert engine, which names its message "lane:id" and holds no payload.
type anyLetter struct {
	DeadLetter
	Message string `json:"message"`
}

func parseLetter(body []byte) (l anyLetter, ok bool) {
	if json.Unmarshal(body, &l) != nil {
		return l, false
	}
	if lane, id, named := strings.Cut(l.Message, ":"); named {
		l.Lane = journal.LaneName(lane)
		l.ID, _ = strconv.ParseUint(id, 10, 64) // 0 is no message
	}
	return l, true
}

// subject is the message that a letter is about.
type subject struct {
	lane  journal.LaneName
	entry *journal.Entry // nil when it is gone
	gone  string         // why
}

// message finds what a letter is about.
func (d deadLetters) message(ctx context.Context, body []byte) (subject, error) {
	l, ok := parseLetter(body)
	switch {
	case !ok:
		return subject{gone: "the letter is not one of this hub's"}, nil
	case l.Stage == StageJournal:
		return subject{gone: "the journal could not read these messages"}, nil
	case !slices.Contains([]journal.LaneName{journal.EventLane, journal.StateLane, journal.TelemetryLane}, l.Lane):
		return subject{gone: "the letter names no lane"}, nil
	}
	e, err := d.entry(ctx, l)
	if e != nil || err != nil {
		return subject{lane: l.Lane, entry: e}, err
	}
	payload, ok := l.payload()
	if !ok {
		return subject{gone: "the lane no longer holds the message, and the letter not its payload"}, nil
	}
	return subject{lane: l.Lane, entry: &journal.Entry{ID: l.ID, Message: journal.Message{
		Kind: journal.Publish, ReceivedNS: l.ReceivedNS, Device: l.Device, Topic: l.Topic, Payload: payload,
	}}}, nil
}

// entry reads the letter's message from its lane; nil when it is purged, damaged or, after a loss of the file, another one.
func (d deadLetters) entry(ctx context.Context, l anyLetter) (*journal.Entry, error) {
	lane := d.lane(l.Lane)
	pos, err := lane.Locate(ctx, l.ID)
	if err != nil {
		return nil, fmt.Errorf("locate message %d: %w", l.ID, err)
	}
	entries, _, err := lane.Read(ctx, pos, 1)
	if _, gap := errors.AsType[*journal.GapError](err); gap {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read message %d: %w", l.ID, err)
	}
	if len(entries) == 0 || entries[0].ID != l.ID || entries[0].Topic != l.Topic ||
		l.ReceivedNS != 0 && entries[0].ReceivedNS != l.ReceivedNS {
		return nil, nil
	}
	return &entries[0], nil
}

// payload gives back what letterFor put into a letter.
func (d DeadLetter) payload() ([]byte, bool) {
	if d.Binary != nil {
		return d.Binary, true
	}
	if len(d.Payload) == 0 || d.Payload[0] != '"' {
		return d.Payload, len(d.Payload) > 0
	}
	var text string
	err := json.Unmarshal(d.Payload, &text)
	return []byte(text), err == nil
}
