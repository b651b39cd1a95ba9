package ingest

import (
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
	Payload    any              `json:"payload,omitempty"`  // the JSON it was, else text
	Binary     []byte           `json:"payload_base64,omitempty"`
}

// letterBox adds dead letters to the stream.
type letterBox struct {
	stream interface{ Add(atNS int64, body []byte) }
}

// add queues a letter. It is not durable by itself: the stream's file is written before a later cursor is.
func (l *letterBox) add(d DeadLetter) {
	d.Lane = journal.TelemetryLane
	body, err := json.Marshal(d)
	if err != nil {
		// Only a payload that is valid JSON and yet cannot be copied could do this; it is kept as bytes then.
		d.Payload = nil
		body, _ = json.Marshal(d)
	}
	l.stream.Add(time.Now().UnixNano(), body)
}

// letterFor begins a letter about an entry.
func letterFor(e *journal.Entry, stage, reason string) DeadLetter {
	d := DeadLetter{
		Stage: stage, Reason: reason, ID: e.ID, Position: e.Pos.String(),
		ReceivedNS: e.ReceivedNS, Device: e.Device, Topic: e.Topic,
	}
	switch {
	case json.Valid(e.Payload):
		d.Payload = json.RawMessage(e.Payload)
	case utf8.Valid(e.Payload):
		d.Payload = string(e.Payload)
	default:
		d.Binary = e.Payload
	}
	return d
}
