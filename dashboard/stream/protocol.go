package stream

import (
	"encoding/json"
	"errors"
	"fmt"

	"watchhouse/alerts"
)

// Subprotocol is required in the handshake.
const Subprotocol = "watchhouse.v1"

// CloseSession is the close code when the session ended or the user's role changed: sign in again.
const CloseSession = 4001

// ClientFrame is what a console sends.
type ClientFrame struct {
	T     string `json:"t" enum:"hello,resume,seen,audio"`
	Epoch string `json:"epoch,omitempty" doc:"hello, resume: the ledger's id the number belongs to."`
	Seq   uint64 `json:"seq,omitempty" doc:"hello, resume: the last number the page has; seen: the last it has painted."`
	Tab   string `json:"tab,omitempty" doc:"hello: tells tabs of one browser apart."`
	State string `json:"state,omitempty" enum:"ok,blocked,muted" doc:"audio: whether the page can sound."`
}

// WelcomeFrame answers hello.
type WelcomeFrame struct {
	T        string      `json:"t" enum:"welcome"`
	Epoch    string      `json:"epoch"`
	Head     uint64      `json:"head" doc:"Number of the last transition."`
	RingMin  uint64      `json:"ring_min" doc:"The smallest number a resume may name."`
	ServerMS int64       `json:"server_ms"`
	HbMS     int64       `json:"hb_ms" doc:"Time between heartbeats."`
	Build    string      `json:"build"`
	Resume   string      `json:"resume" enum:"ok,snapshot"`
	User     WelcomeUser `json:"user"`
}

// WelcomeUser is who is signed in.
type WelcomeUser struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// BatchFrame carries the transitions F to L.
type BatchFrame struct {
	T  string              `json:"t" enum:"b"`
	E  string              `json:"e" doc:"The ledger's id."`
	F  uint64              `json:"f" doc:"First number."`
	L  uint64              `json:"l" doc:"Last number."`
	MS int64               `json:"ms" doc:"The hub's clock, Unix ms."`
	R  int                 `json:"r,omitempty" doc:"1 = replayed: no sound per event."`
	Ev []alerts.Transition `json:"ev"`
}

// HeartbeatFrame says that the link lives, which number is the last, and what the hub lacks.
type HeartbeatFrame struct {
	T        string   `json:"t" enum:"hb"`
	Head     uint64   `json:"head"`
	ServerMS int64    `json:"server_ms"`
	Degraded []string `json:"degraded,omitempty" doc:"Codes of what is out of order in the hub, sorted; GET /health says more."`
}

// ResyncFrame asks for a resume, with Snapshot set for a snapshot and then a resume.
type ResyncFrame struct {
	T        string `json:"t" enum:"resync"`
	Snapshot bool   `json:"snapshot,omitempty"`
}

// maxFrame is the largest frame a console may send; maxText the longest string in it that is kept.
const (
	maxFrame = 4096
	maxText  = 64
)

// parseClient decodes a console's frame. Unknown fields and unknown frames are let through: an older hub must not cut off
// a newer page.
func parseClient(b []byte) (ClientFrame, error) {
	var f ClientFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return ClientFrame{}, fmt.Errorf("frame: %w", err)
	}
	if f.T == "" {
		return ClientFrame{}, errors.New("frame: no t")
	}
	if len(f.Epoch) > maxText || len(f.Tab) > maxText {
		return ClientFrame{}, fmt.Errorf("frame: epoch or tab is longer than %d bytes", maxText)
	}
	return f, nil
}
