package load

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"watchhouse/simulators/packet"
	"watchhouse/simulators/stream"
	"watchhouse/telemetry"
)

// Press measures the way of an emergency call: one button after the other is pressed, one press at a time, and each is waited for at the
// broker (PUBACK) and at a console (the WebSocket frame that holds its transition).
type Press struct {
	Buttons int           `help:"Emergency buttons to press in turn." default:"20"`
	Every   time.Duration `help:"Time between presses." default:"25ms"`
	Timeout time.Duration `help:"When a press counts as lost." default:"15s"`
}

// DefaultPress presses forty times a second: a storm of seconds needs that many to have a 99th percentile.
func DefaultPress() Press {
	return Press{Buttons: 20, Every: 25 * time.Millisecond, Timeout: 15 * time.Second}
}

// PressResult of one run, in µs with three significant digits.
type PressResult struct {
	Presses    int
	Ack, Frame *hdrhistogram.Histogram
	LostAcks   int
	LostFrames int
}

func newPressResult() PressResult { return PressResult{Ack: newHistogram(3), Frame: newHistogram(3)} }

// Prober presses buttons; it stays connected between runs.
type Prober struct {
	cfg     Press
	clients []*client
	frames  chan frame
	seq     uint32
	boot    int64
	id      uint16
	stop    context.CancelFunc
	ended   chan struct{}
	err     error // of the console, after ended
}

// frame is a transition that a press causes, as the console saw it.
type frame struct {
	device string
	at     time.Time
}

// NewProber signs the buttons and one console in. The target's emergency buttons are used, in order. Close must be called.
func (c Press) NewProber(ctx context.Context, t Target, console stream.Config) (*Prober, error) {
	var buttons []Account
	for _, a := range t.Accounts {
		if a.Kind == telemetry.EmergencyButton && len(buttons) < c.Buttons {
			buttons = append(buttons, a)
		}
	}
	if len(buttons) == 0 {
		return nil, errors.New("load: press: the registry has no emergency button to press")
	}
	t.Accounts = buttons
	p := &Prober{cfg: c, frames: make(chan frame, 1024), boot: time.Now().Unix(), ended: make(chan struct{})}
	if err := p.console(ctx, console); err != nil {
		return nil, err
	}
	var err error
	if p.clients, err = connectAll(ctx, t, len(buttons), nil); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// console follows the stream and waits until it is live.
func (p *Prober) console(ctx context.Context, cfg stream.Config) error {
	follower, err := stream.New(cfg)
	if err != nil {
		return err
	}
	ctx, p.stop = context.WithCancel(ctx)
	live, broken := make(chan struct{}, 1), make(chan error, 1)
	h := stream.Handler{
		Batch: p.seen,
		Live:  func() { offer(live, struct{}{}) },
		Retry: func(err error) { offer(broken, err) },
	}
	go func() {
		p.err = follower.Run(ctx, h)
		close(p.ended)
	}()
	if err := p.awaitLive(ctx, live); err != nil {
		p.stop()
		<-p.ended
		offer(broken, nil)
		return fmt.Errorf("load: press: no stream: %w", errors.Join(err, p.err, <-broken))
	}
	return nil
}

// offer sends without waiting: what nobody has taken yet stays.
func offer[T any](c chan<- T, v T) {
	select {
	case c <- v:
	default:
	}
}

func (p *Prober) awaitLive(ctx context.Context, live <-chan struct{}) error {
	timeout := time.NewTimer(connectTimeout)
	defer timeout.Stop()
	select {
	case <-live:
		return nil
	case <-p.ended:
		return errors.New("refused")
	case <-ctx.Done():
		return ctx.Err()
	case <-timeout.C:
		return fmt.Errorf("not live after %v", connectTimeout)
	}
}

// seen hands on the transitions that presses cause.
func (p *Prober) seen(b stream.Batch) {
	for _, t := range b.Transitions {
		if t.Incident == nil || t.Kind != "raised" && t.Kind != "occurrence" {
			continue
		}
		select {
		case p.frames <- frame{device: t.Incident.Device, at: b.Received}:
		default: // nobody measures at the moment
		}
	}
}

// Close ends the console and the connections.
func (p *Prober) Close() {
	p.stop()
	closeAll(p.clients)
	<-p.ended
}

// Run presses until ctx ends; that is no error.
func (p *Prober) Run(ctx context.Context) (PressResult, error) {
	r := newPressResult()
	ticker := time.NewTicker(p.cfg.Every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return r, nil
		case <-p.ended:
			return r, fmt.Errorf("load: press: the stream ended: %w", p.err)
		case <-ticker.C:
		}
		if err := p.press(&r); err != nil {
			return r, err
		}
	}
}

// press sends one press and waits for its ack and its frame.
func (p *Prober) press(r *PressResult) error {
	c := p.clients[r.Presses%len(p.clients)]
	p.forget()
	p.id = max(1, p.id+1)
	message := packet.Publish{Topic: "wh/v1/" + c.id + "/event", Payload: p.payload(), QoS: 1, ID: p.id}
	wire := message.Append(nil)
	if err := c.SetDeadline(time.Now().Add(p.cfg.Timeout)); err != nil {
		return fmt.Errorf("load: press %s: %w", c.id, err)
	}
	start := time.Now()
	if _, err := c.Write(wire); err != nil {
		return fmt.Errorf("load: press %s: %w", c.id, err)
	}
	r.Presses++
	if err := c.awaitAck(p.id); err != nil {
		r.LostAcks++
		return fmt.Errorf("load: press %s: no ack: %w", c.id, err)
	}
	_ = r.Ack.RecordValue(max(1, time.Since(start).Microseconds()))
	p.awaitFrame(r, c.id, start)
	return nil
}

// payload is an SOS with an identity of its own. The restart counter is the time of the run, so that runs do not repeat each other.
func (p *Prober) payload() []byte {
	p.seq++
	b := strconv.AppendInt([]byte(`{"type":"sos","boot":`), p.boot, 10)
	b = strconv.AppendUint(append(b, `,"seq":`...), uint64(p.seq), 10)
	return append(strconv.AppendInt(append(b, `,"ts":`...), time.Now().UnixMilli(), 10), '}')
}

// forget drops frames of earlier presses that came too late.
func (p *Prober) forget() {
	for {
		select {
		case <-p.frames:
		default:
			return
		}
	}
}

func (p *Prober) awaitFrame(r *PressResult, device string, start time.Time) {
	timeout := time.NewTimer(p.cfg.Timeout)
	defer timeout.Stop()
	for {
		select {
		case f := <-p.frames:
			if f.device == device {
				_ = r.Frame.RecordValue(max(1, f.at.Sub(start).Microseconds()))
				return
			}
		case <-p.ended:
			r.LostFrames++
			return
		case <-timeout.C:
			r.LostFrames++
			return
		}
	}
}

func (c *client) awaitAck(id uint16) error {
	for {
		pk, err := c.in.Next()
		if err != nil {
			return err
		}
		if pk.Type != packet.TypePuback {
			continue
		}
		if have, err := pk.Puback(); err != nil || have == id {
			return err
		}
	}
}
