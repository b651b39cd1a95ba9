package stream_test

import (
	"errors"
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
		if b.hub.Room(stream.Identity{Handles: true}) == nil {
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
		for i := range 10 {
			b.open(fmt.Sprint("anna", i)).hello(0)
		}
		if err := b.hub.Room(stream.Identity{Name: "x", Handles: true}); !errors.Is(err, stream.ErrNoRoom) {
			t.Errorf("room for an eleventh: %v", err)
		}
		if code := b.open("bert").closed(); code != websocket.CloseTryAgainLater {
			t.Errorf("closed with %d", code)
		}
	})
}

// One user, whose token may be in many programs, does not take all places; nor do all who only look.
func TestPlacesAreKeptForThoseWhoHandleCalls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := start(t, 100)
		for range 8 {
			b.open("viewer").hello(0)
		}
		if err := b.hub.Room(stream.Identity{Name: "viewer2"}); !errors.Is(err, stream.ErrNoRoom) {
			t.Errorf("the last fifth is given to a viewer: %v", err)
		}
		if code := b.open("viewer2").closed(); code != websocket.CloseTryAgainLater {
			t.Errorf("closed with %d", code)
		}
		b.open("anna").hello(0)
		if err := b.hub.Room(stream.Identity{Name: "viewer", Handles: true}); !errors.Is(err, stream.ErrTooMany) {
			t.Errorf("a ninth console of one user: %v", err)
		}
		if err := b.hub.Room(stream.Identity{Name: "bert", Handles: true}); err != nil {
			t.Errorf("who handles calls finds no place: %v", err)
		}
	})
}
