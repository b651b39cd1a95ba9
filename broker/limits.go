package broker

import (
	"errors"
	"time"
)

// Limits is what one account may take: a device, a gateway, a bridge or an observer, over all its connections. Whoever speaks for
// other registered devices gets more, by their number.
type Limits struct {
	Connections   int `yaml:"connections"`
	Sessions      int `yaml:"sessions"`      // connected or kept for a client that is away
	Subscriptions int `yaml:"subscriptions"` // of all its sessions, shared ones too; one more for each device behind it

	EventsPerSecond          int `yaml:"events_per_second"`            // sustained; status and command acks have as much of their own
	EventsPerSecondPerDevice int `yaml:"events_per_second_per_device"` // more for each device behind it
	MaxEventsPerSecond       int `yaml:"max_events_per_second"`        // with all the devices behind it
}

const (
	burstSeconds     = 3       // of a share may come at once
	unitBytes        = 4 << 10 // a message is charged once for each so many bytes, begun ones too
	maxSubscriptions = 1024    // of one account, with all the devices behind it
)

// DefaultLimits leave room for a device with one connection for calls and one for readings, each twice over while the old ones are half
// open, and for a hundred calls a second, which no hand makes.
func DefaultLimits() Limits {
	return Limits{
		Connections: 8, Sessions: 8, Subscriptions: 64,
		EventsPerSecond: 100, EventsPerSecondPerDevice: 10, MaxEventsPerSecond: 1000,
	}
}

func (l Limits) validate() error {
	return errors.Join(
		between("account.connections", l.Connections, 1, 10_000),
		between("account.sessions", l.Sessions, 1, 10_000),
		between("account.subscriptions", l.Subscriptions, 1, 10_000),
		between("account.events_per_second", l.EventsPerSecond, 1, 1_000_000),
		between("account.events_per_second_per_device", l.EventsPerSecondPerDevice, 0, 1_000_000),
		between("account.max_events_per_second", l.MaxEventsPerSecond, l.EventsPerSecond, 1_000_000),
	)
}

// allowance is what the limits come to for one account.
type allowance struct {
	interval      time.Duration // between units in the long run
	burst         time.Duration // how far ahead of time the account may run
	subscriptions int
}

// allow gives the allowance of an account with so many devices behind it.
func (l Limits) allow(behind int) allowance {
	rate := min(l.EventsPerSecond+behind*l.EventsPerSecondPerDevice, l.MaxEventsPerSecond)
	return allowance{
		interval:      time.Second / time.Duration(rate),
		burst:         burstSeconds * time.Second,
		subscriptions: max(l.Subscriptions, min(l.Subscriptions+behind, maxSubscriptions)),
	}
}

// meter measures out a rate: a burst passes at once, then one unit each interval (the generic cell rate algorithm).
type meter struct{ due time.Time }

// take charges units and gives how long who takes them must rest, before them or after.
func (m *meter) take(now time.Time, units time.Duration, burst time.Duration) time.Duration {
	if m.due.Before(now) {
		m.due = now
	}
	m.due = m.due.Add(units)
	return max(0, m.due.Sub(now)-burst)
}

// idle reports whether the meter is as good as new.
func (m *meter) idle(now time.Time) bool { return !m.due.After(now) }
