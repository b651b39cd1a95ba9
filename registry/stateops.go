package registry

// each gives the operations that make the state from nothing. Secrets come before the devices, which show whether they have one.
func (s *state) each(do func(op) error) error {
	var err error
	add := func(o op) {
		if err == nil {
			err = do(o)
		}
	}
	if len(s.Key) > 0 {
		add(op{Op: opCreate, Key: s.Key})
	}
	for id, v := range s.Verifiers {
		add(op{Op: opSetSecret, ID: id, Verifier: &v})
	}
	for _, d := range s.Devices {
		add(op{Op: opPutDevice, Device: d})
	}
	for id, box := range s.Persons {
		add(op{Op: opPutPerson, ID: id, Sealed: &box})
	}
	for id, grants := range s.Access {
		add(op{Op: opPutAccess, ID: id, Grants: grants})
	}
	s.eachAround(add)
	s.eachUser(add)
	return err
}

// eachAround gives what makes the surroundings of devices.
func (s *state) eachAround(add func(op)) {
	for _, a := range s.Areas {
		add(op{Op: opPutArea, Area: &a})
	}
	for _, p := range s.Places {
		add(op{Op: opPutPlace, Place: &p})
	}
	for _, c := range s.Contacts {
		add(op{Op: opPutContact, Contact: &c.Contact, Sealed: &c.Sealed})
	}
}

func (s *state) eachUser(add func(op)) {
	for name, u := range s.Users {
		add(op{Op: opPutUser, User: &u.User})
		add(op{Op: opSetPassword, ID: name, PasswordHash: u.PasswordHash})
	}
	for v, t := range s.Tokens {
		add(op{Op: opPutToken, Verifier: &v, Token: &t})
	}
}
