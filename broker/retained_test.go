package broker

import (
	"context"
	"strings"
	"testing"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
	"pgregory.net/rapid"

	"watchhouse/journal"
)

// publishOne signs a device in, publishes with QoS 1, and leaves.
func (h *house) publishOne(user string, p pub) {
	h.t.Helper()
	w := h.join(hello{user: user})
	p.qos, p.id = 1, 1
	w.publish(p)
	w.expectAck(typePuback, 1, 0)
	_ = w.nc.Close()
}

// retainedNow is what a new subscriber of everything is told, by topic.
func (h *house) retainedNow() map[string]string {
	h.t.Helper()
	eye := h.join(hello{user: "eye"})
	eye.subscribe("wh/v1/#", 1, 1)
	h.publishOne("btn-3", pub{topic: "wh/v1/btn-3/event", payload: "end"})
	got := map[string]string{}
	for {
		d := eye.delivery()
		if d.payload == "end" {
			return got
		}
		if !d.retain {
			h.t.Errorf("%+v has no retain flag", d)
		}
		got[d.topic] = d.payload
		eye.write(appendAck(nil, typePuback, d.id, 0))
	}
}

// Only status is kept for later subscribers: never an event, whose copy would be a call that nobody made.
func TestOnlyStatusIsRetained(t *testing.T) {
	h := start(t)
	for _, channel := range []string{"event", "telemetry", "status", "command/ack"} {
		h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/" + channel, payload: channel, retain: true})
	}
	h.publishOne("btn-2", pub{topic: "wh/v1/btn-2/status", payload: "not retained"})
	h.publishOne("gw-1", pub{topic: "wh/v1/gw-1/child/c-1/status", payload: "child", retain: true})
	got := h.retainedNow()
	if len(got) != 2 || got["wh/v1/btn-1/status"] != "status" || got["wh/v1/gw-1/child/c-1/status"] != "child" {
		t.Errorf("retained %v", got)
	}
	if list := h.stored(journal.EventLane); len(list) == 0 || !list[0].Retain {
		t.Error("the journal lost the retain flag of the event")
	}
	h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/status", retain: true})
	if got := h.retainedNow(); len(got) != 1 {
		t.Errorf("after an empty status: %v", got)
	}
}

// A live copy does not carry the flag, unless a v5 subscriber asks for it.
func TestRetainFlagOfLiveCopies(t *testing.T) {
	h := start(t)
	plain, asPublished := h.join(hello{user: "eye"}), h.join(hello{user: "eye", id: "eye~5", v5: true})
	plain.subscribe("wh/v1/#", 1, 1)
	asPublished.write(packet(typeSubscribe<<4|2, append(lenText([]byte{0, 1, 0}, "wh/v1/#"), 1|8)))
	asPublished.expect(9)
	h.publishOne("btn-1", pub{topic: "wh/v1/btn-1/status", payload: "x", retain: true})
	if plain.delivery().retain || !asPublished.delivery().retain {
		t.Error("wrong retain flags")
	}
}

// Retained status is rebuilt from the journal after a stop, a kill, and a stop followed by a kill.
func TestRetainedIsRebuilt(t *testing.T) {
	dir := t.TempDir()
	want := map[string]string{}
	for round, step := range []struct{ user, payload string }{{"btn-1", "a"}, {"btn-2", "b"}, {"btn-1", "c"}, {"btn-2", ""}} {
		c := spawn(t, dir)
		w := dial(t, c.addr)
		w.connect(hello{user: step.user})
		topic := "wh/v1/" + step.user + "/status"
		w.publish(pub{topic: topic, payload: step.payload, qos: 1, id: 1, retain: true})
		w.expectAck(typePuback, 1, 0)
		c.kill()
		if want[topic] = step.payload; step.payload == "" {
			delete(want, topic)
		}
		h := open(t, dir, nil)
		if got := h.retainedNow(); len(got) != len(want) || got["wh/v1/btn-1/status"] != want["wh/v1/btn-1/status"] {
			t.Errorf("round %d: retained %v, want %v", round, got, want)
		}
		h.shut()
		if raw, err := readKey(t, dir); err != nil || !strings.Contains(string(raw), `"pos"`) {
			t.Errorf("no snapshot: %s %v", raw, err)
		}
	}
}

func readKey(t *testing.T, dir string) ([]byte, error) {
	j := openJournal(t, dir)
	defer func() { _ = j.Close(context.Background()) }()
	return j.KV("broker").Get(context.Background(), retainedKey)
}

func TestDamagedSnapshotIsAnError(t *testing.T) {
	dir := t.TempDir()
	j := openJournal(t, dir)
	if err := j.KV("broker").Put(context.Background(), retainedKey, []byte("{")); err != nil {
		t.Fatal(err)
	}
	r := &retained{topics: map[string]retainedStatus{}}
	s := storesOf(j)
	if err := r.rebuild(context.Background(), s.shelf, s.state); err == nil {
		t.Error("taken")
	}
	if err := j.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// The matcher for retained topics agrees with the library's index of subscriptions.
func TestMatchesAgreesWithTheIndex(t *testing.T) {
	level := rapid.SampledFrom([]string{"a", "b", "", "wh", "+"})
	name := rapid.SampledFrom([]string{"a", "b", "", "wh"})
	rapid.Check(t, func(t *rapid.T) {
		levels := rapid.SliceOfN(level, 1, 5).Draw(t, "filter")
		if rapid.Bool().Draw(t, "tail") {
			levels[len(levels)-1] = "#"
		}
		filter := strings.Join(levels, "/")
		topic := strings.Join(rapid.SliceOfN(name, 1, 5).Draw(t, "topic"), "/")
		parent := strings.HasSuffix(filter, "+/#") // the index forgets that x/+/# covers x/y too
		if filter == "" || topic == "" || parent || !mqtt.IsValidFilter(filter, false) {
			return
		}
		index := mqtt.NewTopicsIndex()
		index.Subscribe("c", packets.Subscription{Filter: filter})
		if want := len(index.Subscribers(topic).Subscriptions) == 1; matches(filter, topic) != want {
			t.Fatalf("%q covers %q: %v, the index says %v", filter, topic, !want, want)
		}
	})
}
