package registry

// draft is a change in the making. next shows the state as it will be, so that rules over several things (a gateway and its
// children in one file) are checked on the outcome.
type draft struct {
	view *View  // as it is
	next *state // as it will be
	ops  []op
	key  []byte // made for an empty registry, else nil
	hash *hasher
	// later gives operations that are made only when they are written, because all of them together would be too much.
	later func(do func(op) error) error
}

func newDraft(v *View) *draft {
	d := &draft{view: v, next: v.state.clone(), hash: v.hasher}
	if v.state.Key == nil {
		d.key = newKey()
		d.hash = newHasher(d.key)
	}
	return d
}

// do adds an operation. Operations are made by this package: one that apply refuses is a fault of it, and found by the first
// test that writes one.
func (d *draft) do(o op) {
	if err := d.next.apply(o); err != nil {
		panic("registry: " + err.Error())
	}
	d.ops = append(d.ops, o)
}

// write gives the operations one after another, preceded by the making of the key in an empty registry.
func (d *draft) write(do func(op) error) error {
	each := func(o op) error {
		if d.key != nil {
			create := op{Op: opCreate, Key: d.key}
			d.key = nil
			if err := do(create); err != nil {
				return err
			}
		}
		return do(o)
	}
	for _, o := range d.ops {
		if err := each(o); err != nil {
			return err
		}
	}
	if d.later == nil {
		return nil
	}
	return d.later(each)
}

// setSecret sets a chosen secret or makes one, which it returns.
func (d *draft) setSecret(subject, id, secret string) (generated string, err error) {
	o, generated, err := d.secretOf(subject, id, secret)
	if err != nil {
		return "", err
	}
	d.do(o)
	return generated, nil
}

// secretOf gives the operation that sets a chosen secret, or one that it makes and returns.
func (d *draft) secretOf(subject, id, secret string) (o op, generated string, err error) {
	if secret == GenerateSecret {
		generated = newSecret()
		secret = generated
	} else if err := checkSecret(subject, secret); err != nil {
		return op{}, "", err
	}
	sum := d.hash.sum(purposeConnect, id, []byte(secret))
	return op{Op: opSetSecret, ID: id, Verifier: &sum}, generated, nil
}

// seal closes personal fields. The key file is made with the first of them, and never again: two keys must not come into use
// unnoticed.
func (d *draft) seal(of owner, fields any) (*sealed, error) {
	first := len(d.view.state.Persons) == 0 && len(d.view.state.Contacts) == 0
	keyID, key, err := d.view.keys.sealing(first)
	if err != nil {
		return nil, err
	}
	return seal(keyID, key, of, fields)
}
