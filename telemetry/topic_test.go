package telemetry

import (
	"errors"
	"strings"
	"testing"
)

func TestParseTopic(t *testing.T) {
	longest := strings.Repeat("x", 64)
	for topic, want := range map[string]Topic{
		"wh/v1/btn-0001/event":           {"", "btn-0001", ChannelEvent},
		"wh/v1/btn-0001/telemetry":       {"", "btn-0001", ChannelTelemetry},
		"wh/v1/btn-0001/status":          {"", "btn-0001", ChannelStatus},
		"wh/v1/btn-0001/command":         {"", "btn-0001", ChannelCommand},
		"wh/v1/btn-0001/command/ack":     {"", "btn-0001", ChannelCommandAck},
		"wh/v1/gw/child/btn/event":       {"gw", "btn", ChannelEvent},
		"wh/v1/gw/child/btn/command/ack": {"gw", "btn", ChannelCommandAck},
		"wh/v1/child/event":              {"", "child", ChannelEvent},
		"wh/v1/child/child/child/event":  {"child", "child", ChannelEvent},
		"wh/v1/" + longest + "/status":   {"", longest, ChannelStatus},
		"wh/v1/0_-/event":                {"", "0_-", ChannelEvent},
	} {
		got, err := ParseTopic(topic)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", topic, got, err, want)
		}
		if got.String() != topic {
			t.Errorf("%s: written again as %s", topic, got.String())
		}
	}
}

func TestParseTopicNamesTheFault(t *testing.T) {
	for topic, field := range map[string]string{
		"":                         "topic",
		"wh/v2/btn/event":          "topic",
		"WH/v1/btn/event":          "topic",
		"/wh/v1/btn/event":         "topic",
		"$share/g/wh/v1/btn/event": "topic",
		"wh/v1/":                   "topic.device",
		"wh/v1//event":             "topic.device",
		"wh/v1/+/event":            "topic.device",
		"wh/v1/a b/event":          "topic.device",
		"wh/v1/-a/event":           "topic.device",
		"wh/v1/洪安/event":           "topic.device",
		"wh/v1/a\x00/event":        "topic.device",
		"wh/v1/" + strings.Repeat("x", 65) + "/x": "topic.device",
		"wh/v1/btn":                      "topic.channel",
		"wh/v1/btn/":                     "topic.channel",
		"wh/v1/btn/Event":                "topic.channel",
		"wh/v1/btn/event/":               "topic.channel",
		"wh/v1/btn/#":                    "topic.channel",
		"wh/v1/btn/command/ack/x":        "topic.channel",
		"wh/v1/gw/child/":                "topic.device",
		"wh/v1/gw/child/btn":             "topic.channel",
		"wh/v1/gw/child//event":          "topic.device",
		"wh/v1/gw/child/a/child/b/event": "topic.channel",
		"wh/v1//child/btn/event":         "topic.gateway",
		"wh/v1/+/child/btn/event":        "topic.gateway",
	} {
		_, err := ParseTopic(topic)
		var fe *FieldError
		if !errors.As(err, &fe) || fe.Field != field {
			t.Errorf("%q: error %v, want one on %s", topic, err, field)
		}
	}
}

func TestParseTopicDoesNotAllocate(t *testing.T) {
	if n := testing.AllocsPerRun(100, func() { _, _ = ParseTopic("wh/v1/gw/child/btn-0001/telemetry") }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzParseTopic(f *testing.F) {
	for _, s := range []string{"wh/v1/btn/event", "wh/v1/gw/child/btn/command/ack", "wh/v1/a/child/b", "wh/v1//event", "$SYS/x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		topic, err := ParseTopic(s)
		if err != nil {
			checkSafe(t, err)
			return
		}
		if topic.String() != s || !ValidID(topic.Device) || topic.Gateway != "" && !ValidID(topic.Gateway) {
			t.Errorf("%q is read as %+v and written as %q", s, topic, topic.String())
		}
	})
}

func BenchmarkParseTopic(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseTopic("wh/v1/gw-0001/child/btn-0001/telemetry"); err != nil {
			b.Fatal(err)
		}
	}
}
