package registry

import (
	"encoding/json"
	"fmt"
)

// formatVersion of the change sets.
const formatVersion = 1

// changeSet is one step of the chain: an import or an edit, whole. Its revision is the number of the step.
type changeSet struct {
	Version int    `json:"v"`
	AtMS    int64  `json:"at"`
	Actor   string `json:"actor"`
	Ops     []op   `json:"ops"`
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
	if c.Version != formatVersion {
		return c, fmt.Errorf("change set has format %d, this program knows %d", c.Version, formatVersion)
	}
	return c, nil
}
