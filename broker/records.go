package broker

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"time"

	"watchhouse/certs"
	"watchhouse/journal"
)

// connected and disconnected are the payloads of the records about a session.
type (
	connected struct {
		Protocol byte   `json:"protocol"`
		Remote   string `json:"remote"`
		Clean    bool   `json:"clean"`
		TLS      string `json:"tls,omitempty"`         // version
		Shown    string `json:"certificate,omitempty"` // fingerprint of the one it has shown
	}
	disconnected struct {
		Reason string `json:"reason"`
	}
)

// connectRecord says how c's session began.
func (c *conn) connectRecord(protocol byte) connected {
	r := connected{Protocol: protocol, Remote: c.RemoteAddr().String(), Clean: c.restart}
	if s, ok := c.sock.(secured); ok && s.ConnectionState().HandshakeComplete {
		r.TLS = tls.VersionName(s.ConnectionState().Version)
	}
	if cert := c.certificate(); cert != nil {
		r.Shown = certs.Fingerprint(cert)
	}
	return r
}

// record puts a record about c's session on the state lane. A session whose beginning cannot be recorded is not begun.
func (b *Broker) record(c *conn, kind journal.Kind, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("encode session record: %w", err)
	}
	m := journal.Message{Kind: kind, ReceivedNS: time.Now().UnixNano(), Client: c.client, Device: c.who.ID, Conn: c.num, Payload: body, Many: c.who.Kind == ""}
	return b.stores.state.Submit(m, func(_ journal.Receipt, err error) {
		if err != nil {
			b.complain(err)
			c.cut(reasonJournal)
		}
	})
}

// recordStart puts hub_start before anything else of this run and waits for it to be on disk. On a disk that is full it stays
// first in the queue, and the hub starts: whoever is there must be able to see what is wrong.
func (b *Broker) recordStart(ctx context.Context) error {
	done := make(chan error, 1)
	m := journal.Message{Kind: journal.HubStart, ReceivedNS: time.Now().UnixNano(), Payload: []byte("{}")}
	if err := b.stores.state.Submit(m, func(_ journal.Receipt, err error) { done <- err }); err != nil {
		return fmt.Errorf("record hub start: %w", err)
	}
	select {
	case err := <-done:
		if err != nil {
			b.complain(err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("record hub start: %w", ctx.Err())
	}
}
