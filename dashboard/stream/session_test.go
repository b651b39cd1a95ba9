package stream_test

import (
	"fmt"
	"testing"

	"github.com/gorilla/websocket"

	"watchhouse/dashboard/stream"
)

func TestFaultyFramesCloseTheSocket(t *testing.T) {
	for name, tc := range map[string]struct {
		kind int
		body string
		want int
	}{
		"no JSON":  {websocket.TextMessage, "{", websocket.CloseInvalidFramePayloadData},
		"no type":  {websocket.TextMessage, `{"seq":1}`, websocket.CloseInvalidFramePayloadData},
		"binary":   {websocket.BinaryMessage, `{"t":"hello"}`, websocket.ClosePolicyViolation},
		"too long": {websocket.TextMessage, fmt.Sprintf("%5000s", "{}"), websocket.CloseMessageTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := start(t, 100)
				c := b.open("anna")
				c.hello(0)
				if err := c.conn.WriteMessage(tc.kind, []byte(tc.body)); err != nil {
					t.Fatal(err)
				}
				if code := c.closed(); code != tc.want {
					t.Errorf("closed with %d, want %d", code, tc.want)
				}
			})
		})
	}
}

func TestFramesOfANewerPageAreLetThrough(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		c.say(map[string]any{"t": "presence", "who": "me"})
		c.say(map[string]any{"t": "audio", "state": "ok", "volume": 3})
		b.ledger.Raise("a", 1)
		c.reach(1)
	})
}

func TestFloodOfFramesClosesTheSocket(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		code := make(chan int, 1)
		go func() { code <- c.closed() }()
		for range 201 {
			if c.conn.WriteJSON(stream.ClientFrame{T: "seen", Seq: 1}) != nil {
				break
			}
		}
		if got := <-code; got != websocket.ClosePolicyViolation {
			t.Errorf("closed with %d", got)
		}
	})
}

func TestEndedSessionClosesTheStream(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		b.hub.Recheck()
		b.ledger.Raise("still there", 1)
		c.reach(1)
		b.valid.Store(false)
		b.hub.Recheck()
		if code := c.closed(); code != stream.CloseSession {
			t.Errorf("closed with %d, want %d", code, stream.CloseSession)
		}
	})
}

func TestStopSaysGoingAway(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		c := b.open("anna")
		c.hello(0)
		code := make(chan int, 1)
		go func() { code <- c.closed() }()
		b.stop()
		if got := <-code; got != websocket.CloseGoingAway {
			t.Errorf("closed with %d", got)
		}
		if b.hub.Room() {
			t.Error("a stopped hub has room")
		}
		if n := b.ledger.Subscriptions(); n != 0 {
			t.Errorf("%d subscriptions are left", n)
		}
	})
}

func TestNoMoreConsolesThanAllowed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		for range 10 {
			b.open("anna").hello(0)
		}
		if b.hub.Room() {
			t.Error("room for an eleventh")
		}
		if code := b.open("bert").closed(); code != websocket.CloseTryAgainLater {
			t.Errorf("closed with %d", code)
		}
	})
}
