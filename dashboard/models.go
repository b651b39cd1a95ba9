package dashboard

import (
	"encoding/json"

	"watchhouse/alerts"
	"watchhouse/dashboard/live"
	"watchhouse/ingest"
)

// Account is who is signed in and what it may do.
type Account struct {
	Name        string   `json:"name"`
	Role        string   `json:"role" enum:"viewer,guard,maintainer,operator,supervisor,admin"`
	Permissions []string `json:"permissions" doc:"What the role may do."`
	Secure      bool     `json:"secure" doc:"False while other machines may reach the hub without encryption."`
}

// AsOf is a position on the stream.
type AsOf struct {
	Epoch string `json:"epoch" doc:"The ledger's id."`
	Seq   uint64 `json:"seq" doc:"Number of the last transition that is included."`
}

// Snapshot is all a console needs to begin; it goes on with the stream from AsOf.
type Snapshot struct {
	AsOf      AsOf               `json:"as_of"`
	ServerMS  int64              `json:"server_ms" doc:"The hub's clock, Unix ms."`
	Incidents []*alerts.Incident `json:"incidents" doc:"The open ones."`
	Devices   []live.DeviceState `json:"devices"`
	Areas     []Area             `json:"areas"`
}

// Area is a residential committee.
type Area struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	NameEN string `json:"name_en"`
}

// IncidentDetail is one incident with its story.
type IncidentDetail struct {
	Incident *alerts.Incident `json:"incident"`
	Timeline []TimelineEntry  `json:"timeline" doc:"Oldest first."`
}

// TimelineEntry is a transition without the incident it led to.
type TimelineEntry struct {
	Seq   uint64       `json:"seq"`
	At    int64        `json:"at" doc:"Unix ms."`
	Kind  string       `json:"kind"`
	Actor string       `json:"actor"`
	From  alerts.State `json:"from"`
	To    alerts.State `json:"to"`
	Text  string       `json:"text"`
}

// Series is one metric of one device over time; a window without data is absent.
type Series struct {
	Device  string         `json:"device"`
	Metric  string         `json:"metric"`
	From    int64          `json:"from" doc:"Unix ms."`
	To      int64          `json:"to" doc:"Unix ms."`
	EveryMS int64          `json:"every_ms" doc:"Width of a window; the smallest step between two points when the hub chose."`
	Points  []ingest.Point `json:"points"`
}

// MaskedPerson is what any viewer may see of a person.
type MaskedPerson struct {
	ID          string `json:"id"`
	MaskedName  string `json:"masked_name"`
	MaskedPhone string `json:"masked_phone"`
}

// RevealedPerson are the personal fields in clear; each reading of them is audited.
type RevealedPerson struct {
	Name     string            `json:"name"`
	Phone    string            `json:"phone"`
	Address  string            `json:"address"`
	Note     string            `json:"note"`
	Contacts []RevealedContact `json:"contacts"`
}

// RevealedContact is whom to call next.
type RevealedContact struct {
	Name     string `json:"name"`
	Relation string `json:"relation"`
	Phone    string `json:"phone"`
}

// ConsoleUser is a user as the list shows it.
type ConsoleUser struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	House    string `json:"house"`
	Disabled bool   `json:"disabled"`
}

// JournalEntry is a raw message as it was received.
type JournalEntry struct {
	Lane      string          `json:"lane" enum:"event,state,telemetry"`
	Position  string          `json:"position" doc:"Opaque."`
	ID        uint64          `json:"id" doc:"Number in the lane."`
	At        int64           `json:"at" doc:"Receive time, Unix ms."`
	Kind      string          `json:"kind" enum:"publish,will,connect,disconnect,hub_start"`
	Device    string          `json:"device"`
	Client    string          `json:"client"`
	Topic     string          `json:"topic"`
	QoS       int             `json:"qos"`
	Retain    bool            `json:"retain"`
	Dup       bool            `json:"dup"`
	Payload   json.RawMessage `json:"payload" doc:"The JSON it was, else a string; what is not UTF-8 in it is replaced."`
	Base64    []byte          `json:"payload_base64,omitempty" doc:"The payload as it was, when it is not UTF-8."`
	Truncated bool            `json:"truncated" doc:"The payload was longer than 8 KiB, or than 16 KiB in life.db, and is shown as a string of its first part."`
}

// SideRecord is a rejected message with its reason.
type SideRecord struct {
	N      uint64          `json:"n"`
	At     int64           `json:"at" doc:"Unix ms."`
	Record json.RawMessage `json:"record" doc:"The JSON it was, else a string."`
}

// DeadLetter is a message that could not be decoded or stored, with its reason.
type DeadLetter struct {
	SideRecord

	RedrivenAt int64 `json:"redriven_at" doc:"Unix ms; 0 = not."`
}

// AuditEntry is one record of the audit chain: who saw or did what that leaves no transition.
type AuditEntry struct {
	N         uint64 `json:"n" doc:"Number in the chain; 0 inside the chain's own records."`
	At        int64  `json:"at" doc:"Unix ms."`
	Actor     string `json:"actor,omitempty"`
	Action    string `json:"action" enum:"login,logout,reveal,seen,create,update,delete,renew_secret,import,redrive"`
	Person    string `json:"person,omitempty" doc:"The person's id, never a name."`
	Object    string `json:"object,omitempty" doc:"What was changed or revealed: device/btn-1, place/p-1, contact/c-1; of an import, which file."`
	Incident  string `json:"incident,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Remote    string `json:"remote,omitempty" doc:"Network address the request came from."`
	RequestID string `json:"request_id,omitempty"`
	Seen      []Seen `json:"seen,omitempty" doc:"Only with seen: incidents painted on a console for the first time."`
}

// Seen says that a console painted an incident for a user for the first time.
type Seen struct {
	Incident string `json:"incident"`
	Actor    string `json:"actor"`
	Seq      uint64 `json:"seq"`
	At       int64  `json:"at" doc:"Unix ms."`
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next" doc:"Cursor of the next page; empty on the last."`
}
