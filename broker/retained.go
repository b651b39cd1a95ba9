package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"watchhouse/journal"
	"watchhouse/telemetry"
)

const (
	retainedKey    = "retained"        // of the snapshot in the shelf
	retainedCursor = "broker-retained" // keeps the purge behind the snapshot
	rebuildPage    = 1000
)

// retained holds the last retained status of every device: the only messages that are kept for later subscribers. It is a view
// of the state lane: rebuilt at start from a snapshot and what came after it. Safe for concurrent use.
type retained struct {
	mu     sync.RWMutex
	topics map[string]retainedStatus
	pos    journal.Position // everything before it is in topics; reading on from it changes nothing that is newer
	saved  journal.Position
}

type retainedStatus struct {
	Payload []byte `json:"p"`
	QoS     byte   `json:"q"`
}

// retainedSnapshot is the shelf's form.
type retainedSnapshot struct {
	Pos    string                    `json:"pos"`
	Topics map[string]retainedStatus `json:"topics"`
}

// put keeps a committed status; an empty payload clears it.
func (r *retained) put(topic string, payload []byte, qos byte, pos journal.Position) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pos = pos
	if len(payload) == 0 {
		delete(r.topics, topic)
		return
	}
	r.topics[topic] = retainedStatus{bytes.Clone(payload), qos}
}

// matching gives what a new subscription gets.
func (r *retained) matching(filter string) []*message {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if s, ok := r.topics[filter]; ok {
		return []*message{s.message(filter)}
	}
	if !strings.ContainsAny(filter, "+#") {
		return nil
	}
	var list []*message
	for topic, s := range r.topics {
		if matches(filter, topic) {
			list = append(list, s.message(topic))
		}
	}
	return list
}

func (s retainedStatus) message(topic string) *message {
	return &message{topic: topic, payload: s.Payload, qos: s.QoS, retain: true}
}

// matches reports whether a filter covers a topic, MQTT 4.7; topics here never begin with $.
func matches(filter, topic string) bool {
	for {
		f, filterRest, filterMore := strings.Cut(filter, "/")
		t, topicRest, topicMore := strings.Cut(topic, "/")
		switch {
		case f == "#":
			return true
		case f != "+" && f != t:
			return false
		case !filterMore || !topicMore:
			return filterMore == topicMore || filterMore && filterRest == "#"
		}
		filter, topic = filterRest, topicRest
	}
}

// rebuild loads the snapshot and reads on to the head of the state lane.
func (r *retained) rebuild(ctx context.Context, from shelf, lane stateLog) error {
	if err := r.load(ctx, from); err != nil {
		return err
	}
	for pos := r.pos; ; {
		entries, next, err := lane.Read(ctx, pos, rebuildPage)
		for _, e := range entries {
			r.replay(e)
		}
		var gap *journal.GapError
		switch {
		case errors.As(err, &gap):
			next = gap.Resume // the journal has raised its alarm; what can be read still counts
		case err != nil:
			return fmt.Errorf("rebuild retained status: %w", err)
		case len(entries) == 0:
			r.pos = next
			return nil
		}
		pos = next
	}
}

func (r *retained) load(ctx context.Context, from shelf) error {
	raw, err := from.Get(ctx, retainedKey)
	if errors.Is(err, journal.ErrNotFound) {
		return nil
	}
	var s retainedSnapshot
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	var pos journal.Position
	if err == nil {
		pos, err = journal.ParsePosition(s.Pos)
	}
	if err != nil {
		return fmt.Errorf("load retained status: %w", err)
	}
	r.pos, r.saved = pos, pos
	maps.Copy(r.topics, s.Topics)
	return nil
}

func (r *retained) replay(e journal.Entry) {
	if !e.Retain || e.Cut > 0 || e.Kind != journal.Publish && e.Kind != journal.Will {
		return
	}
	if isStatus(e.Topic) {
		r.put(e.Topic, e.Payload, e.QoS, e.Pos)
	}
}

// isStatus reports whether a topic is a status of wh/v1, the only one that is kept for later subscribers.
func isStatus(topic string) bool {
	t, err := telemetry.ParseTopic(topic)
	return err == nil && t.Channel == telemetry.ChannelStatus
}

// save writes the snapshot if anything has come since the last one.
func (r *retained) save(ctx context.Context, to shelf, lane stateLog) error {
	r.mu.Lock()
	pos := r.pos
	if pos == r.saved {
		r.mu.Unlock()
		return nil
	}
	raw, err := json.Marshal(retainedSnapshot{Pos: pos.String(), Topics: r.topics})
	r.mu.Unlock()
	if err == nil {
		err = to.Put(ctx, retainedKey, raw)
	}
	if err == nil {
		err = lane.SetCursor(ctx, retainedCursor, pos)
	}
	if err != nil {
		return fmt.Errorf("save retained status: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.saved = pos
	return nil
}
