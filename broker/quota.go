package broker

// codeReceiveMaximum tells a v5 client that it has sent more than its Receive Maximum allows.
const codeReceiveMaximum = 0x93

// spend counts a PUBLISH with QoS against the Receive Maximum that v5 clients are told (MQTT 5, 3.3.4). It counts what the hub has not
// answered: an answer on its way is the client's already, so nobody who keeps to it is ever cut. v3 has no such number; there TCP slows
// the client down.
func (c *conn) spend(p publish) error {
	if !c.v5 || p.qos == 0 {
		return nil
	}
	open := 0
	if q := c.memory2(); q != nil {
		var again bool
		if open, again = q.open(p.id); p.qos == 2 && again {
			return nil
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if open+c.unanswered >= telemetryWindow {
		return fault{codeReceiveMaximum, "receive maximum exceeded"}
	}
	if p.qos == 1 {
		c.unanswered++
	}
	return nil
}

// memory2 is the session's QoS 2 memory, nil when nothing was in it yet.
func (c *conn) memory2() *inbound2 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.qos2
}
