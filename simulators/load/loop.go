package load

import (
	"errors"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"watchhouse/simulators/packet"
)

// grace is how long a loop waits for outstanding acks after its time.
const grace = 10 * time.Second

// ackBytes is the size of a PUBACK.
const ackBytes = 4

// loop is one closed-loop client: a single goroutine that reads a batch of acks and answers with as many messages in one write.
type loop struct {
	*client
	meter       *meter
	tmpl        *template
	sent        []time.Duration // when the message with packet id i+1 was written, since the meter's start
	out         []byte
	outstanding int
	batchOf     int   // acks to wait for at once
	single      bool  // each message is a write of its own
	draining    bool  // the last acks: wake for each
	acked       int64 // in the measured time
	total       int64
	batch       int64
	hist        *hdrhistogram.Histogram
	err         error
}

func newLoop(c *client, cfg Throughput, m *meter) *loop {
	batch := cfg.Batch
	if batch == 0 {
		batch = max(1, cfg.Window/4)
	}
	return &loop{
		client: c, meter: m, tmpl: newTemplate(c.id, cfg), single: cfg.Batch == 1,
		sent: make([]time.Duration, cfg.Window), batchOf: batch, hist: newHistogram(2),
	}
}

// newHistogram covers 1 µs to 100 s.
func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, 100_000_000, digits)
}

func (l *loop) run() {
	if err := l.SetReadDeadline(l.meter.start.Add(l.meter.end + grace)); err != nil {
		l.err = err
		return
	}
	now := l.meter.now()
	for i := range l.sent {
		l.publish(uint16(i+1), now)
	}
	l.err = errors.Join(l.err, wakeAfter(l.Conn, l.batchOf*ackBytes), l.flush())
	for l.err == nil && l.outstanding > 0 {
		l.err = errors.Join(l.turn(), l.err)
	}
}

// turn waits for acks, takes all that are there and refills the window.
func (l *loop) turn() error {
	p, err := l.in.Next()
	if err != nil {
		return err
	}
	now := l.meter.now()
	l.batch = 0
	for {
		if p.Type == packet.TypePuback { // a button also gets receipts, which nobody here lights up by
			id, err := p.Puback()
			if err != nil {
				return err
			}
			l.take(id, now)
		}
		if !l.in.Ready() {
			break
		}
		if p, err = l.in.Next(); err != nil {
			return err
		}
	}
	l.meter.count(now, l.batch)
	if err := l.drain(now); err != nil {
		return err
	}
	return l.flush()
}

// drain ends the waiting for whole batches once nothing new is published.
func (l *loop) drain(now time.Duration) error {
	if l.draining || now < l.meter.end {
		return nil
	}
	l.draining = true
	return wakeAfter(l.Conn, 1)
}

// take books one ack and publishes the next message under the same id while the run lasts.
func (l *loop) take(id uint16, now time.Duration) {
	if id == 0 || int(id) > len(l.sent) {
		return
	}
	l.outstanding--
	l.batch++
	l.total++
	if l.meter.measured(now) {
		l.acked++
		_ = l.hist.RecordValue(max(1, (now - l.sent[id-1]).Microseconds())) // beyond 100 s the read deadline has ended the loop
	}
	if now < l.meter.end {
		l.publish(id, now)
	}
}

func (l *loop) publish(id uint16, now time.Duration) {
	l.sent[id-1] = now
	l.out = l.tmpl.appendMessage(l.out, id, l.meter.unixMS(now))
	l.outstanding++
	if l.single {
		l.err = errors.Join(l.err, l.flush())
	}
}

func (l *loop) flush() error {
	if len(l.out) == 0 {
		return nil
	}
	_, err := l.Write(l.out)
	l.out = l.out[:0]
	return err
}
