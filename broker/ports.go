package broker

import (
	"context"

	"watchhouse/journal"
	"watchhouse/registry"
)

// submitter is the one thing the hot path needs of a lane. done runs on the committer's goroutine, in order of submission.
type submitter interface {
	Submit(m journal.Message, done func(journal.Receipt, error)) error
}

// stateLog is the state lane as the rebuild of retained messages reads it.
type stateLog interface {
	submitter
	Read(ctx context.Context, from journal.Position, limit int) ([]journal.Entry, journal.Position, error)
	SetCursor(ctx context.Context, name string, p journal.Position) error
}

// sideLog takes rejects; shelf keeps the snapshot of retained messages.
type (
	sideLog interface {
		AddFrom(sender string, atNS int64, body []byte)
	}
	shelf interface {
		Get(ctx context.Context, key string) ([]byte, error)
		Put(ctx context.Context, key string, value []byte) error
	}
)

// stores are the parts of the journal that the broker uses.
type stores struct {
	event, telemetry submitter
	state            stateLog
	rejects          sideLog
	shelf            shelf
}

func storesOf(j *journal.Journal) stores {
	return stores{
		event:     j.Lane(journal.EventLane),
		telemetry: j.Lane(journal.TelemetryLane),
		state:     j.Lane(journal.StateLane),
		rejects:   j.Stream("rejects"),
		shelf:     j.KV("broker"),
	}
}

// directory says who may do what. Revision changes with every change of it, so that decisions may be kept until then.
type directory interface {
	Authenticate(username, clientID string, secret []byte) (registry.Principal, error)
	Certified(username, clientID string) (registry.Principal, error)
	MayPublish(p registry.Principal, topic string) bool
	MaySubscribe(p registry.Principal, filter string) bool
	Locate(topic, sender string) (registry.Origin, error)
	Revision() uint64
	Changed() <-chan struct{}
	Known(deviceID string) bool
	Behind(id string) int // registered devices that send by a principal's connection
	Stands(p registry.Principal) bool
}

// registryDirectory is the directory of the running hub.
type registryDirectory struct{ *registry.Registry }

func (d registryDirectory) Revision() uint64 { return d.View().Revision() }

func (d registryDirectory) Locate(topic, sender string) (registry.Origin, error) {
	return d.View().Locate(topic, sender)
}

func (d registryDirectory) Behind(id string) int { return d.View().Behind(id) }

func (d registryDirectory) Known(id string) bool {
	_, ok := d.View().Device(id)
	return ok
}
