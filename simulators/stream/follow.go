package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	subprotocol = "watchhouse.v1"
	// silence is three heartbeats: a stream that says nothing for so long is dead.
	silence = 15 * time.Second
)

// errSessionOver tells that the session must be renewed.
var errSessionOver = errors.New("stream: session over")

// follow runs one WebSocket connection until it breaks or ctx ends.
func (c *Client) follow(ctx context.Context, h Handler) error {
	d := websocket.Dialer{Subprotocols: []string{subprotocol}, Jar: c.http.Jar, HandshakeTimeout: 10 * time.Second}
	ws, resp, err := d.DialContext(ctx, c.streamURL(), http.Header{}) //nolint:bodyclose // the library has read it into memory
	if err != nil {
		if resp != nil && resp.StatusCode == http.StatusUnauthorized {
			return errSessionOver
		}
		return fmt.Errorf("stream: connect: %w", err)
	}
	defer ws.Close()
	stop := context.AfterFunc(ctx, func() { ws.Close() })
	defer stop()
	if err := c.send(ws, clientFrame{T: "hello", Epoch: &c.epoch, Seq: &c.seq, Tab: "simulator"}); err != nil {
		return err
	}
	for {
		if err := ws.SetReadDeadline(time.Now().Add(silence)); err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		_, data, err := ws.ReadMessage()
		if err != nil {
			return fmt.Errorf("stream: read: %w", err)
		}
		if err := c.handle(ctx, ws, h, data, time.Now()); err != nil {
			return err
		}
	}
}

func (c *Client) send(ws *websocket.Conn, f clientFrame) error {
	if err := ws.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	if err := ws.WriteJSON(f); err != nil {
		return fmt.Errorf("stream: write: %w", err)
	}
	return nil
}

func (c *Client) handle(ctx context.Context, ws *websocket.Conn, h Handler, data []byte, at time.Time) error {
	var f serverFrame
	if err := json.Unmarshal(data, &f); err != nil {
		return fmt.Errorf("stream: frame: %w", err)
	}
	switch f.T {
	case "welcome":
		if f.Resume == "snapshot" {
			return c.restart(ctx, ws, h, true)
		}
		h.live()
	case "resync":
		if f.Snapshot {
			return c.restart(ctx, ws, h, false)
		}
		return c.send(ws, clientFrame{T: "resume", Epoch: &c.epoch, Seq: &c.seq})
	case "b":
		return c.batch(h, f, at)
	}
	return nil
}

// restart takes a snapshot and asks for what came after it.
func (c *Client) restart(ctx context.Context, ws *websocket.Conn, h Handler, welcome bool) error {
	s, err := c.snapshot(ctx)
	if errors.Is(err, ErrRefused) {
		return errSessionOver
	} else if err != nil {
		return err
	}
	c.epoch, c.seq = s.Epoch, s.Seq
	if err := c.send(ws, clientFrame{T: "resume", Epoch: &c.epoch, Seq: &c.seq}); err != nil {
		return err
	}
	if h.Snapshot != nil {
		h.Snapshot(s)
	}
	if welcome {
		h.live()
	}
	return nil
}

func (h Handler) live() {
	if h.Live != nil {
		h.Live()
	}
}

// batch checks the numbers and hands the transitions on.
func (c *Client) batch(h Handler, f serverFrame, at time.Time) error {
	if f.First != c.seq+1 {
		return &SequenceError{Want: c.seq + 1, Have: f.First}
	}
	for i, t := range f.Events {
		if want := f.First + uint64(i); t.Seq != want {
			return &SequenceError{Want: want, Have: t.Seq}
		}
	}
	if want := f.First + uint64(len(f.Events)) - 1; f.Last != want {
		return &SequenceError{Want: want, Have: f.Last}
	}
	c.seq = f.Last
	if h.Batch != nil {
		h.Batch(Batch{Transitions: f.Events, Replayed: f.Replayed == 1, Received: at, ServerMS: f.MS})
	}
	return nil
}
