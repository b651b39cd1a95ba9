package registry

import (
	"context"
	"fmt"
	"strconv"

	"watchhouse/telemetry"
)

// Grant is a scoped right of a bridge or an observer: an MQTT filter, to publish or to subscribe.
type Grant struct {
	Filter    string `json:"filter"`
	Publish   bool   `json:"publish,omitempty"`
	Subscribe bool   `json:"subscribe,omitempty"`
}

// maxGrants keeps the check of a publish short.
const maxGrants = 64

// PutAccess adds or replaces a bridge or observer account with grants; the secret is generated when empty and the account has
// none yet, or when it is "generate", and then returned.
func (r *Registry) PutAccess(ctx context.Context, actor, id string, grants []Grant, secret string) (generated string, err error) {
	err = r.edit(ctx, actor, func(d *draft) error {
		if err := d.checkAccess(id, grants); err != nil {
			return err
		}
		d.do(op{Op: opPutAccess, ID: id, Grants: grants})
		if _, has := d.next.Verifiers[id]; secret == "" && has {
			return nil
		}
		chosen := secret
		if chosen == "" {
			chosen = GenerateSecret
		}
		generated, err = d.setSecret("access account "+id, id, chosen)
		return err
	})
	if err != nil {
		return "", err
	}
	return generated, nil
}

// DeleteAccess removes a bridge or observer account.
func (r *Registry) DeleteAccess(ctx context.Context, actor, id string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Access[id]; !ok {
			return fmt.Errorf("access account %s: %w", id, ErrNotFound)
		}
		d.do(op{Op: opDeleteAccess, ID: id})
		return nil
	})
}

func (d *draft) checkAccess(id string, grants []Grant) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"access account " + excerpt(id), field, want, got}
	}
	if !telemetry.ValidID(id) {
		return bad("id", wantID, excerpt(id))
	}
	if _, taken := d.next.Devices[id]; taken {
		return bad("id", "an id that no device has", excerpt(id))
	}
	if len(grants) == 0 || len(grants) > maxGrants {
		return bad("grants", "1 to "+strconv.Itoa(maxGrants), strconv.Itoa(len(grants)))
	}
	for i, g := range grants {
		field := "grants[" + strconv.Itoa(i) + "]"
		if !validFilter(g.Filter) || isShared(g.Filter) {
			return bad(field+".filter", "an MQTT topic filter without $share", excerpt(g.Filter))
		}
		if !g.Publish && !g.Subscribe {
			return bad(field, "publish, subscribe or both", "neither")
		}
	}
	return nil
}
