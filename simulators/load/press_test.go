package load

import (
	"context"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The frame's latency holds the hub's own delay, the presses go round the buttons, none is lost.
func TestPressIsMeasuredToTheFrame(t *testing.T) {
	h := newStubHub(t, 20*time.Millisecond)
	accounts := append(NewAccounts("box", 2, "safety_house"), NewAccounts("btn", 3, telemetry.EmergencyButton)...)
	c := Press{Buttons: 3, Every: 5 * time.Millisecond, Timeout: 10 * time.Second}
	p, err := c.NewProber(t.Context(), h.target(accounts), stream.Config{URL: h.url})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	r, err := p.Run(ctx)
	if err != nil || r.LostAcks+r.LostFrames > 0 || r.Presses < 3 || r.Frame.TotalCount() != int64(r.Presses) {
		t.Fatalf("have %+v, %v", r, err)
	}
	if low := r.Frame.Min(); low < 20_000 || low > 10_000_000 {
		t.Errorf("fastest frame after %d µs; the hub waits 20 ms", low)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.users) != 3 {
		t.Errorf("pressed %v, want the three buttons", h.users)
	}
}

func TestLostFrameIsCounted(t *testing.T) {
	h := newStubHub(t, 0)
	h.mute = true
	c := Press{Buttons: 1, Every: time.Millisecond, Timeout: 30 * time.Millisecond}
	p, err := c.NewProber(t.Context(), h.target(NewAccounts("btn", 1, telemetry.EmergencyButton)), stream.Config{URL: h.url})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	r, err := p.Run(ctx)
	if err != nil || r.LostFrames == 0 || r.LostFrames != r.Presses {
		t.Errorf("have %+v, %v; want every frame lost", r, err)
	}
}

func TestNoButtonNoPress(t *testing.T) {
	h := newStubHub(t, 0)
	_, err := DefaultPress().NewProber(t.Context(), h.target(NewAccounts("gw", 2, "gateway")), stream.Config{URL: h.url})
	if err == nil || !strings.Contains(err.Error(), "no emergency button") {
		t.Errorf("have %v", err)
	}
}

// The three parts run to their end with everything in the background, and the report names them.
func TestSpine(t *testing.T) {
	h := newStubHub(t, 0)
	c := DefaultSpine()
	c.Press = Press{Buttons: 2, Every: time.Millisecond, Timeout: 5 * time.Second}
	c.Rate.Clients, c.Rate.PerSecond = 4, 200
	c.Storm.Clients, c.Storm.Width, c.Storm.Hold = 300, 4, 10*time.Millisecond // the storm outlasts many presses
	c.Quiet, c.Loaded = 50*time.Millisecond, 50*time.Millisecond
	buttons, others := c.Accounts()
	accounts := append(NewAccounts("btn", buttons, telemetry.EmergencyButton), NewAccounts("x", others, "sorting_point")...)
	r, err := c.Run(t.Context(), h.target(accounts), stream.Config{URL: h.url}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Storm.Lost != 0 || r.Storm.Latency.TotalCount() != 300 || r.Load.Acked == 0 || r.Load.Acked != r.Load.Sent {
		t.Errorf("have storm %+v, load %+v", r.Storm, r.Load)
	}
	for _, part := range []PressResult{r.Quiet, r.Loaded, r.Stormed} {
		if part.Presses == 0 || part.LostAcks+part.LostFrames > 0 {
			t.Errorf("part %+v", part)
		}
	}
	if s := r.Section(); len(s.Latencies) != 6 {
		t.Errorf("%d curves, want ack and frame of three parts", len(s.Latencies))
	}
}

// A console that cannot be had is an error that says why.
func TestNoStreamSaysWhy(t *testing.T) {
	h := newStubHub(t, 0)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := DefaultPress().NewProber(ctx, h.target(NewAccounts("btn", 1, telemetry.EmergencyButton)), stream.Config{URL: "http://127.0.0.1:1"})
	if err == nil || !strings.Contains(err.Error(), "no stream") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("have %v", err)
	}
}

// The storms' presses are counted together, and each storm is told of.
func TestStorms(t *testing.T) {
	h := newStubHub(t, 0)
	c := Storms{Spine: DefaultSpine(), Count: 2}
	c.Press = Press{Buttons: 2, Every: time.Millisecond, Timeout: 5 * time.Second}
	c.Rate.Clients, c.Rate.PerSecond = 4, 200
	c.Storm.Clients, c.Storm.Width, c.Storm.Hold = 300, 4, 10*time.Millisecond // a storm outlasts many presses
	buttons, others := c.Accounts()
	accounts := append(NewAccounts("btn", buttons, telemetry.EmergencyButton), NewAccounts("x", others, "sorting_point")...)
	r, err := c.Run(t.Context(), h.target(accounts), stream.Config{URL: h.url}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := r.Presses
	if len(r.Storms) != 2 || p.Presses == 0 || p.LostAcks+p.LostFrames > 0 || p.Frame.TotalCount() != int64(p.Presses) {
		t.Errorf("have %d storms, presses %+v", len(r.Storms), p)
	}
	if s := r.Section(); len(s.Latencies) != 2 {
		t.Errorf("%d curves, want ack and frame", len(s.Latencies))
	}
	c.Count = 0
	if _, err := c.Run(t.Context(), h.target(accounts), stream.Config{URL: h.url}, nil); err == nil {
		t.Error("no storm was no error")
	}
}
