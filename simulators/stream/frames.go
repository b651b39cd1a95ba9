package stream

import (
	"fmt"
	"time"
)

// Incident is the part of an incident that simulators look at.
type Incident struct {
	ID          string   `json:"id"`
	Version     uint64   `json:"version"`
	Priority    int      `json:"priority"`
	State       string   `json:"state"`
	Rule        string   `json:"rule"`
	Device      string   `json:"device"`
	Active      bool     `json:"active"`
	Occurrences int      `json:"occurrences"`
	RaisedAt    int64    `json:"raised_at"`
	Badges      []string `json:"badges"`
}

// Transition is one numbered change.
type Transition struct {
	Seq      uint64    `json:"seq"`
	At       int64     `json:"at"`
	Kind     string    `json:"kind"`
	Actor    string    `json:"actor"`
	From     string    `json:"from"`
	To       string    `json:"to"`
	Incident *Incident `json:"incident"`
}

// Batch is a run of transitions with contiguous numbers.
type Batch struct {
	Transitions []Transition
	Replayed    bool
	Received    time.Time // when the frame had been read, before it was decoded
	ServerMS    int64
}

// Snapshot is the state that a console starts from; the stream goes on after Seq.
type Snapshot struct {
	Epoch     string
	Seq       uint64
	Incidents []Incident
	Devices   int
}

// Handler gets what the stream says. Nil members are not called.
type Handler struct {
	Batch    func(Batch)
	Snapshot func(Snapshot)
	Live     func()      // after the first welcome and after each reconnect
	Retry    func(error) // a connection or sign-in failed and will be tried again
}

// SequenceError is a gap or a double in the numbers of the stream.
type SequenceError struct{ Want, Have uint64 }

func (e *SequenceError) Error() string {
	return fmt.Sprintf("stream: want transition %d, have %d", e.Want, e.Have)
}

// serverFrame is the union of all frames of the server.
type serverFrame struct {
	T        string       `json:"t"`
	Epoch    string       `json:"epoch"`
	E        string       `json:"e"`
	Head     uint64       `json:"head"`
	Resume   string       `json:"resume"`
	Snapshot bool         `json:"snapshot"`
	First    uint64       `json:"f"`
	Last     uint64       `json:"l"`
	MS       int64        `json:"ms"`
	Replayed int          `json:"r"`
	Events   []Transition `json:"ev"`
}

// clientFrame is the union of those of the client.
type clientFrame struct {
	T     string  `json:"t"`
	Epoch *string `json:"epoch,omitempty"`
	Seq   *uint64 `json:"seq,omitempty"`
	Tab   string  `json:"tab,omitempty"`
}
