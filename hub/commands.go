package hub

import (
	"context"
	"encoding/json"
	"time"

	"watchhouse/alerts"
	"watchhouse/telemetry"
)

// redeliverEvery is how often a command that its device has not settled is sent again, until it expires.
const redeliverEvery = 5 * time.Second

// deviceCommand is what a device reads from its command topic.
type deviceCommand struct {
	ID      string            `json:"id"`
	Type    string            `json:"type"`
	Args    map[string]string `json:"args,omitempty"`
	Expires int64             `json:"expires"`
}

// deliverCommands sends the ledger's outbox to the devices. The outbox is durable, so this keeps nothing but when it last tried: after a
// restart what is pending is sent again, under the same id.
func (h *Hub) deliverCommands(ctx context.Context) error {
	tried := map[string]time.Time{}
	retry := time.NewTicker(redeliverEvery)
	defer retry.Stop()
	for {
		pending, changed := h.alerts.Outbox()
		h.deliver(pending, tried)
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-retry.C:
		}
	}
}

// deliver sends what is due and forgets what is no longer pending.
func (h *Hub) deliver(pending []alerts.OutboxEntry, tried map[string]time.Time) {
	now, live := time.Now(), map[string]bool{}
	for _, entry := range pending {
		if entry.Type == alerts.OutboxOrder {
			continue // the courier's
		}
		live[entry.ID] = true
		if now.Sub(tried[entry.ID]) < redeliverEvery || now.UnixMilli() > entry.Expires {
			continue
		}
		tried[entry.ID] = now
		if err := h.send(entry); err != nil { // not connected: the next round tries again
			h.log.Debug("command not delivered", "device", entry.Device, "command_id", entry.ID, "error", err)
		}
	}
	for id := range tried {
		if !live[id] {
			delete(tried, id)
		}
	}
}

func (h *Hub) send(entry alerts.OutboxEntry) error {
	topic := telemetry.Topic{Gateway: entry.Gateway, Device: entry.Device, Channel: telemetry.ChannelCommand}
	payload, err := json.Marshal(deviceCommand{ID: entry.ID, Type: entry.Type, Args: entry.Args, Expires: entry.Expires})
	if err != nil {
		return err
	}
	return h.broker.Publish(topic.String(), payload)
}
