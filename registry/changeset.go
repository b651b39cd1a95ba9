package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	// formatVersion of a change set that is one step.
	formatVersion = 1
	// seriesVersion of the parts of one: a program that knows 1 only would take each for a whole, so it must refuse them.
	seriesVersion = 2
)

// changeHead says what a step is, before its operations.
type changeHead struct {
	Version int    `json:"v"`
	AtMS    int64  `json:"at"`
	Actor   string `json:"actor"`
	Part    int    `json:"part,omitempty"` // from 1, of a change set in several steps
	Last    bool   `json:"last,omitempty"` // part: with it all the parts count, and without it none
}

// changeSet is an import or an edit, whole: one step of the chain, or a part of it.
type changeSet struct {
	changeHead
	Ops []op `json:"ops"`
}

// The operations. Each carries the fields named beside it.
const (
	opCreate        = "create"         // key: the HMAC key of this registry, once
	opPutDevice     = "put_device"     // device
	opDeleteDevice  = "delete_device"  // id
	opSetSecret     = "set_secret"     // id, verifier
	opPutArea       = "put_area"       // area
	opDeleteArea    = "delete_area"    // id
	opPutPlace      = "put_place"      // place
	opDeletePlace   = "delete_place"   // id
	opPutContact    = "put_contact"    // contact, sealed
	opDeleteContact = "delete_contact" // id
	opPutPerson     = "put_person"     // id, sealed
	opDeletePerson  = "delete_person"  // id
	opPutUser       = "put_user"       // user
	opSetPassword   = "set_password"   // id, password_hash
	opDeleteUser    = "delete_user"    // id
	opPutToken      = "put_token"      // verifier, token
	opDeleteToken   = "delete_token"   // verifier
	opPutAccess     = "put_access"     // id, grants
	opDeleteAccess  = "delete_access"  // id
)

// op is one operation of a change set. It holds verifiers and sealed boxes, never a secret, a password or a personal field.
type op struct {
	Op           string        `json:"op"`
	ID           string        `json:"id,omitempty"`
	Key          []byte        `json:"key,omitempty"`
	Device       *deviceRecord `json:"device,omitempty"`
	Area         *Area         `json:"area,omitempty"`
	Place        *Place        `json:"place,omitempty"`
	Contact      *Contact      `json:"contact,omitempty"`
	Sealed       *sealed       `json:"sealed,omitempty"`
	User         *User         `json:"user,omitempty"`
	PasswordHash string        `json:"password_hash,omitempty"`
	Token        *TokenInfo    `json:"token,omitempty"`
	Verifier     *verifier     `json:"verifier,omitempty"`
	Grants       []Grant       `json:"grants,omitempty"`
}

func decodeChangeSet(body []byte) (changeSet, error) {
	var c changeSet
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("decode change set: %w", err)
	}
	return c, c.check()
}

// decodeHead reads what comes before the operations: no quoted text can hold the name of their field in quotes.
func decodeHead(body []byte) (changeHead, error) {
	var h changeHead
	text := body
	if before, _, ok := bytes.Cut(body, []byte(`,"ops":`)); ok {
		text = append(bytes.Clone(before), '}')
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("decode change set: %w", err)
	}
	return h, h.check()
}

func (h changeHead) check() error {
	part := h.Part != 0 || h.Last
	switch {
	case h.Version < formatVersion || h.Version > seriesVersion:
		return fmt.Errorf("change set has format %d, this program knows %d to %d", h.Version, formatVersion, seriesVersion)
	case part != (h.Version == seriesVersion) || h.Part < 0:
		return fmt.Errorf("change set of format %d with part %d is damaged", h.Version, h.Part)
	}
	return nil
}
