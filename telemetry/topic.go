package telemetry

import "strings"

// Channel is the last part of a topic.
type Channel string

// The channels of the wire.
const (
	ChannelEvent      Channel = "event"
	ChannelTelemetry  Channel = "telemetry"
	ChannelStatus     Channel = "status"
	ChannelCommand    Channel = "command"
	ChannelCommandAck Channel = "command/ack"
)

// topicPrefix begins every topic of this version of the wire.
const topicPrefix = "wh/v1/"

// Topic is a parsed wh/v1 topic. Gateway is empty for a device's own connection.
type Topic struct {
	Gateway string
	Device  string
	Channel Channel
}

// ParseTopic parses wh/v1/{device}/{channel} and wh/v1/{gateway}/child/{device}/{channel}. The parts share the memory of s;
// nothing is allocated unless s is wrong, and then the error is a *FieldError.
func ParseTopic(s string) (Topic, error) {
	rest, ok := strings.CutPrefix(s, topicPrefix)
	if !ok {
		return Topic{}, fault("topic", "the prefix "+topicPrefix, "another")
	}
	var t Topic
	t.Device, rest, _ = strings.Cut(rest, "/")
	if child, ok := strings.CutPrefix(rest, "child/"); ok {
		t.Gateway = t.Device
		t.Device, rest, _ = strings.Cut(child, "/")
		if !ValidID(t.Gateway) {
			return Topic{}, fault("topic.gateway", wantID, describeID(t.Gateway))
		}
	}
	if !ValidID(t.Device) {
		return Topic{}, fault("topic.device", wantID, describeID(t.Device))
	}
	if t.Channel, ok = parseChannel(rest); !ok {
		return Topic{}, fault("topic.channel", wantChannel, describeChannel(rest))
	}
	return t, nil
}

const (
	wantID      = "an id of 1 to 64 letters, digits, _ or -, beginning with a letter or digit"
	wantChannel = "event, telemetry, status, command or command/ack"
)

func parseChannel(s string) (Channel, bool) {
	switch c := Channel(s); c {
	case ChannelEvent, ChannelTelemetry, ChannelStatus, ChannelCommand, ChannelCommandAck:
		return c, true
	}
	return "", false
}

func describeChannel(s string) string {
	if s == "" {
		return gotNothing
	}
	return "another"
}

func describeID(s string) string {
	switch {
	case s == "":
		return gotNothing
	case len(s) > maxID:
		return "a longer one"
	}
	return "another character"
}

// String is the topic in the form that ParseTopic reads.
func (t Topic) String() string {
	if t.Gateway == "" {
		return topicPrefix + t.Device + "/" + string(t.Channel)
	}
	return topicPrefix + t.Gateway + "/child/" + t.Device + "/" + string(t.Channel)
}
