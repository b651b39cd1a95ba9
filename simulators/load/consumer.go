package load

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"watchhouse/simulators/packet"
)

// Consumer is a plain subscriber at the far end of a broker: it reads every message, acknowledges it and counts.
type Consumer struct {
	client *client
	landed atomic.Int64
	done   chan struct{}
}

// Consume subscribes to filter with QoS 1. The consumer is the caller's to close.
func Consume(ctx context.Context, t Target, filter string) (*Consumer, error) {
	t.Accounts = []Account{{ID: "consumer"}}
	cl, err := (&dialer{target: t, buffer: 256 << 10}).connect(ctx, 0, 0, nil)
	if err != nil {
		return nil, err
	}
	if err := cl.subscribe(filter); err != nil {
		cl.Close()
		return nil, err
	}
	c := &Consumer{client: cl, done: make(chan struct{})}
	go c.read()
	return c, nil
}

func (c *client) subscribe(filter string) error {
	if err := c.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return fmt.Errorf("load: subscribe %s: %w", c.id, err)
	}
	if _, err := c.Write(packet.AppendSubscribe(nil, 1, filter, 1)); err != nil {
		return fmt.Errorf("load: subscribe %s: %w", c.id, err)
	}
	answer, err := c.in.Next()
	if err != nil {
		return fmt.Errorf("load: subscribe %s: %w", c.id, err)
	}
	if _, code, err := answer.Suback(); err != nil || code > 2 {
		return fmt.Errorf("load: subscribe %s: refused with code %d: %w", c.id, code, err)
	}
	return c.SetDeadline(time.Time{})
}

// read acknowledges in one write all that one read brought.
func (c *Consumer) read() {
	defer close(c.done)
	var acks []byte
	for {
		pk, err := c.client.in.Next()
		if err != nil {
			return
		}
		message, err := pk.Publish()
		if err != nil {
			return
		}
		if message.QoS > 0 {
			acks = packet.AppendPuback(acks, message.ID)
		}
		c.landed.Add(1)
		if len(acks) == 0 || c.client.in.Ready() && len(acks) < 4096 {
			continue
		}
		if _, err := c.client.Write(acks); err != nil {
			return
		}
		acks = acks[:0]
	}
}

// Landed is how many messages were read.
func (c *Consumer) Landed(context.Context) (int64, error) { return c.landed.Load(), nil }

// Close ends the connection and waits for the reader.
func (c *Consumer) Close() {
	c.client.Close()
	<-c.done
}
