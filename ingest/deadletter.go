package ingest

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"watchhouse/journal"
)

// DeadLetterStream is the journal's stream of what could not be stored.
const DeadLetterStream = "deadletter"

// Stages at which a message became a dead letter.
const (
	StageJournal = "journal" // entries that could not be read; ID to LastID
	StageDecode  = "decode"  // a part of the payload could not be decoded
	StagePoint   = "point"   // a number was left out of its point
	StageStore   = "store"   // the database refused a point or a field
)

// DeadLetter is the JSON body of a record in DeadLetterStream. What is not named in it was stored.
type DeadLetter struct {
	Stage      string           `json:"stage"`
	Reason     string           `json:"reason"`
	Lane       journal.LaneName `json:"lane"`
	ID         uint64           `json:"id"`                // number in the lane
	LastID     uint64           `json:"last_id,omitempty"` // of a gap
	Position   string           `json:"position,omitempty"`
	ReceivedNS int64            `json:"received_ns,omitempty"`
	Device     string           `json:"device,omitempty"` // authenticated identity of the sender
	Topic      string           `json:"topic,omitempty"`
	Readings   []int            `json:"readings,omitempty"` // places in the payload; absent = all of it
	Metrics    []string         `json:"metrics,omitempty"`  // absent = all of them
	Payload    json.RawMessage  `json:"payload,omitempty"`  // the object, array, number… it was, else a JSON string of the text
	Binary     []byte           `json:"payload_base64,omitempty"`

	PayloadOmitted bool `json:"payload_omitted,omitempty"` // too long; it is in the lane
}

// letters takes dead letters.
type letters interface{ add(DeadLetter) }

// letterBox adds dead letters to the stream.
type letterBox struct {
	stream interface {
		AddFrom(sender string, atNS int64, body []byte)
	}
}

// maxLetter bounds a letter, so that it fits in a frame of the journal; a longer one goes without its payload, which the
// lane still holds at Position.
const maxLetter = 64 << 10

// add queues a letter. It is on disk within milliseconds, not when add returns.
func (l *letterBox) add(d DeadLetter) {
	body, err := json.Marshal(d)
	if err != nil || len(body) > maxLetter {
		d.Payload, d.Binary, d.PayloadOmitted = nil, nil, true
		if body, err = json.Marshal(d); err != nil {
			return // a struct of strings and numbers always encodes
		}
	}
	l.stream.AddFrom(d.Device, time.Now().UnixNano(), body)
}

// letterFor begins a letter about an entry.
func letterFor(lane journal.LaneName, e *journal.Entry, stage, reason string) DeadLetter {
	d := DeadLetter{
		Stage: stage, Reason: reason, Lane: lane, ID: e.ID, Position: e.Pos.String(),
		ReceivedNS: e.ReceivedNS, Device: e.Device, Topic: e.Topic,
	}
	switch { // a letter is JSON in UTF-8, whatever the message was in
	case !utf8.Valid(e.Payload):
		d.Binary = e.Payload
	case json.Valid(e.Payload) && bytes.TrimSpace(e.Payload)[0] != '"':
		d.Payload = e.Payload
	default:
		d.Payload, _ = json.Marshal(string(e.Payload)) // a string always encodes
	}
	return d
}
