package registry

import (
	"fmt"
	"maps"
)

// state is what the change sets fold into. Once published in a View it is never changed.
type state struct {
	Revision  uint64                   `json:"revision"`       // change sets
	Step      uint64                   `json:"step,omitempty"` // of the chain, the last of the last change set
	Key       []byte                   `json:"key,omitempty"`  // of the verifiers
	Devices   map[string]*deviceRecord `json:"devices"`
	Verifiers map[string]verifier      `json:"verifiers"` // of devices and access accounts, by id
	Areas     map[string]Area          `json:"areas"`
	Places    map[string]Place         `json:"places"`
	Contacts  map[string]contactRecord `json:"contacts"`
	Persons   map[string]sealed        `json:"persons"`
	Users     map[string]userRecord    `json:"users"`
	Tokens    map[verifier]TokenInfo   `json:"tokens"`
	Access    map[string][]Grant       `json:"access"`

	names names // used by fold alone, so by one goroutine
}

func newState() *state {
	return &state{
		Devices:   map[string]*deviceRecord{},
		Verifiers: map[string]verifier{},
		Areas:     map[string]Area{},
		Places:    map[string]Place{},
		Contacts:  map[string]contactRecord{},
		Persons:   map[string]sealed{},
		Users:     map[string]userRecord{},
		Tokens:    map[verifier]TokenInfo{},
		Access:    map[string][]Grant{},
		names:     names{},
	}
}

// clone copies the maps; what they hold is never changed in place.
func (s *state) clone() *state {
	return &state{
		Revision:  s.Revision,
		Step:      s.Step,
		Key:       s.Key,
		Devices:   maps.Clone(s.Devices),
		Verifiers: maps.Clone(s.Verifiers),
		Areas:     maps.Clone(s.Areas),
		Places:    maps.Clone(s.Places),
		Contacts:  maps.Clone(s.Contacts),
		Persons:   maps.Clone(s.Persons),
		Users:     maps.Clone(s.Users),
		Tokens:    maps.Clone(s.Tokens),
		Access:    maps.Clone(s.Access),
		names:     s.names,
	}
}

// fold applies the operations of one step.
func (s *state) fold(body []byte) error {
	c, err := decodeChangeSet(body)
	if err != nil {
		return err
	}
	for i, o := range c.Ops {
		s.names.shareOp(o)
		if err := s.apply(o); err != nil {
			return fmt.Errorf("operation %d: %w", i, err)
		}
	}
	return nil
}

// apply carries out one operation. Rules are checked before an operation is written, never here: what is in the chain holds.
func (s *state) apply(o op) error {
	if !o.complete() {
		return fmt.Errorf("%q is unknown or lacks a field; a newer version may have written it", o.Op)
	}
	switch o.Op {
	case opCreate:
		s.Key = o.Key
	case opPutPerson:
		s.Persons[o.ID] = *o.Sealed
	case opDeletePerson:
		delete(s.Persons, o.ID)
	case opPutAccess:
		s.Access[o.ID] = o.Grants
	case opDeleteAccess:
		delete(s.Access, o.ID)
		delete(s.Verifiers, o.ID)
	case opPutDevice, opDeleteDevice, opSetSecret:
		s.applyDevice(o)
	case opPutArea, opDeleteArea, opPutPlace, opDeletePlace, opPutContact, opDeleteContact:
		s.applyAround(o)
	default:
		s.applyUser(o)
	}
	return nil
}

func (s *state) applyDevice(o op) {
	switch o.Op {
	case opPutDevice:
		_, o.Device.HasSecret = s.Verifiers[o.Device.ID]
		s.Devices[o.Device.ID] = o.Device
	case opDeleteDevice:
		delete(s.Devices, o.ID)
		delete(s.Verifiers, o.ID)
	case opSetSecret:
		s.Verifiers[o.ID] = *o.Verifier
		if d, ok := s.Devices[o.ID]; ok {
			with := *d // the record may be part of a view
			with.HasSecret = true
			s.Devices[o.ID] = &with
		}
	}
}

// applyAround carries out what concerns the surroundings of devices.
func (s *state) applyAround(o op) {
	switch o.Op {
	case opPutArea:
		s.Areas[o.Area.ID] = *o.Area
	case opDeleteArea:
		delete(s.Areas, o.ID)
	case opPutPlace:
		s.Places[o.Place.ID] = *o.Place
	case opDeletePlace:
		delete(s.Places, o.ID)
	case opPutContact:
		s.Contacts[o.Contact.ID] = contactRecord{Contact: *o.Contact, Sealed: *o.Sealed}
	case opDeleteContact:
		delete(s.Contacts, o.ID)
	}
}

func (s *state) applyUser(o op) {
	switch o.Op {
	case opPutUser:
		s.Users[o.User.Name] = userRecord{User: *o.User, PasswordHash: s.Users[o.User.Name].PasswordHash}
	case opSetPassword:
		u := s.Users[o.ID]
		u.PasswordHash = o.PasswordHash
		s.Users[o.ID] = u
	case opDeleteUser:
		delete(s.Users, o.ID)
		maps.DeleteFunc(s.Tokens, func(_ verifier, t TokenInfo) bool { return t.User == o.ID })
	case opPutToken:
		s.Tokens[*o.Verifier] = *o.Token
	case opDeleteToken:
		delete(s.Tokens, *o.Verifier)
	}
}

// complete reports whether the operation is known and has the fields it needs.
func (o op) complete() bool {
	switch o.Op {
	case opCreate:
		return len(o.Key) > 0
	case opPutDevice:
		return o.Device != nil
	case opSetSecret:
		return o.ID != "" && o.Verifier != nil
	case opPutArea:
		return o.Area != nil
	case opPutPlace:
		return o.Place != nil
	case opPutContact:
		return o.Contact != nil && o.Sealed != nil
	case opPutPerson:
		return o.ID != "" && o.Sealed != nil
	case opDeleteDevice, opDeleteArea, opDeletePlace, opDeleteContact, opDeletePerson, opPutAccess, opDeleteAccess:
		return o.ID != ""
	}
	return o.completeUser()
}

func (o op) completeUser() bool {
	switch o.Op {
	case opPutUser:
		return o.User != nil
	case opPutToken:
		return o.Verifier != nil && o.Token != nil
	case opDeleteToken:
		return o.Verifier != nil
	case opDeleteUser, opSetPassword:
		return o.ID != ""
	}
	return false
}
