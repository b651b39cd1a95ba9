package profile

import (
	"encoding/json"
	"strings"
)

const (
	topicPart = "{topic}"
	idPart    = "{id}"
	maxEcho   = 128 // of an id that is repeated
)

// Replies reports whether reports on this topic are answered.
func (e *Envelope) Replies() bool { return e.spec.Reply != nil }

// ReplyTopic is the topic of the answer to a report on a topic.
func (e *Envelope) ReplyTopic(topic string) string { return e.spec.Reply.topicOf(topic) }

// ReplyMatches reports whether a filter asks for answers to the device at an address only: it has the address where they have it.
func (e *Envelope) ReplyMatches(filter, address string) bool {
	if !e.Replies() {
		return false
	}
	asked := strings.Split(filter, "/")
	for i, l := range strings.Split(e.ReplyTopic(e.Pattern()), "/") {
		switch {
		case i >= len(asked) || asked[i] == "#":
			return false
		case holdsAddress(l):
			return asked[i] == strings.Replace(l, addressPart, address, 1)
		case l != "+" && asked[i] != "+" && asked[i] != l:
			return false
		}
	}
	return false
}

// Reply is the answer to a report that is kept: it says the same whatever the report means.
func (e *Envelope) Reply(payload []byte) []byte {
	id := `""`
	if root, _, err := e.open(payload, ""); err == nil && e.spec.Reply.ID != "" {
		switch v := e.replyID.first(root, false).(type) {
		case json.Number:
			id = v.String()
		case string:
			if text, err := json.Marshal(v); err == nil && len(v) <= maxEcho {
				id = string(text)
			}
		}
	}
	return []byte(e.spec.Reply.payload(id))
}

func (r *Reply) topicOf(topic string) string {
	levels := strings.Split(topic, "/")
	for i, l := range levels {
		if other, ok := r.Levels[l]; ok {
			levels[i] = other
		}
	}
	return strings.Replace(r.Topic, topicPart, strings.Join(levels, "/"), 1)
}

func (r *Reply) payload(id string) string { return strings.ReplaceAll(r.Payload, idPart, id) }
