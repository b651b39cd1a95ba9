package stream

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"watchhouse/alerts"
)

// maxBatch is how many transitions a batch carries, so that heartbeats find a gap between two.
const maxBatch = 256

// batch is a run of transitions, marshalled once and shared by all consoles.
type batch struct {
	first, last uint64
	events      []json.RawMessage
	prepared    *websocket.PreparedMessage
}

// newBatch marshals ts, which must be contiguous and not empty.
func newBatch(epoch string, ts []alerts.Transition, now time.Time, replayed bool) (*batch, error) {
	b := &batch{first: ts[0].N, last: ts[len(ts)-1].N, events: make([]json.RawMessage, len(ts))}
	for i := range ts {
		raw, err := json.Marshal(&ts[i])
		if err != nil {
			return nil, fmt.Errorf("marshal transition %d: %w", ts[i].N, err)
		}
		b.events[i] = raw
	}
	var err error
	b.prepared, err = prepare(batchJSON(epoch, b.first, b.last, now, replayed, b.events))
	return b, err
}

// after is the part of b behind number seq, for a console whose snapshot was ahead of the dispatch.
func (b *batch) after(epoch string, seq uint64, now time.Time) (*batch, error) {
	if seq < b.first {
		return b, nil
	}
	rest := &batch{first: seq + 1, last: b.last, events: b.events[seq+1-b.first:]}
	var err error
	rest.prepared, err = prepare(batchJSON(epoch, rest.first, rest.last, now, false, rest.events))
	return rest, err
}

func (b *batch) size() int { return len(b.events) }

func batchJSON(epoch string, first, last uint64, now time.Time, replayed bool, events []json.RawMessage) []byte {
	var w bytes.Buffer
	w.WriteString(`{"t":"b","e":`)
	w.Write(quote(epoch))
	w.WriteString(`,"f":` + strconv.FormatUint(first, 10) + `,"l":` + strconv.FormatUint(last, 10))
	w.WriteString(`,"ms":` + strconv.FormatInt(now.UnixMilli(), 10))
	if replayed {
		w.WriteString(`,"r":1`)
	}
	w.WriteString(`,"ev":[`)
	join(&w, events)
	w.WriteString(`]}`)
	return w.Bytes()
}

// maxDevices is how many device states a frame carries: a long list of them must let an alert pass.
const maxDevices = 256

// deviceFrame is a run of device states, shared by the consoles that have nothing older waiting.
type deviceFrame struct {
	updates  []Update
	prepared *websocket.PreparedMessage
}

func newDeviceFrame(updates []Update, now time.Time) (*deviceFrame, error) {
	var w bytes.Buffer
	w.WriteString(`{"t":"dev","ms":` + strconv.FormatInt(now.UnixMilli(), 10) + `,"dev":[`)
	for i, u := range updates {
		if i > 0 {
			w.WriteByte(',')
		}
		w.Write(u.JSON)
	}
	w.WriteString(`]}`)
	p, err := prepare(w.Bytes())
	return &deviceFrame{updates: updates, prepared: p}, err
}

func prepare(b []byte) (*websocket.PreparedMessage, error) {
	p, err := websocket.NewPreparedMessage(websocket.TextMessage, b)
	if err != nil {
		return nil, fmt.Errorf("prepare a frame: %w", err)
	}
	return p, nil
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // can not be: any string can be encoded
	}
	return b
}

func join(w *bytes.Buffer, parts []json.RawMessage) {
	for i, p := range parts {
		if i > 0 {
			w.WriteByte(',')
		}
		w.Write(p)
	}
}
