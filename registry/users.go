package registry

import (
	"context"
	"fmt"

	"watchhouse/telemetry"
)

// PutUser adds or replaces a user. An empty password keeps the one there is; a new user without one can only use tokens.
func (r *Registry) PutUser(ctx context.Context, actor string, u User, password string) error {
	hash := ""
	if password != "" {
		var err error
		if hash, err = r.hashPassword(ctx, u.Name, password); err != nil {
			return err
		}
	}
	return r.edit(ctx, actor, func(d *draft) error {
		if err := d.checkUser(u); err != nil {
			return err
		}
		d.do(op{Op: opPutUser, User: &u})
		if hash != "" {
			d.do(op{Op: opSetPassword, ID: u.Name, PasswordHash: hash})
		}
		return d.keepsAdmin()
	})
}

// SetPassword changes a user's password.
func (r *Registry) SetPassword(ctx context.Context, actor, user, password string) error {
	hash, err := r.hashPassword(ctx, user, password)
	if err != nil {
		return err
	}
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Users[user]; !ok {
			return fmt.Errorf("user %s: %w", user, ErrNotFound)
		}
		d.do(op{Op: opSetPassword, ID: user, PasswordHash: hash})
		return nil
	})
}

// DisableUser bars a user and their tokens, or admits them again. Sessions are the caller's to end.
func (r *Registry) DisableUser(ctx context.Context, actor, user string, disabled bool) error {
	return r.edit(ctx, actor, func(d *draft) error {
		u, ok := d.next.Users[user]
		if !ok {
			return fmt.Errorf("user %s: %w", user, ErrNotFound)
		}
		u.Disabled = disabled
		d.do(op{Op: opPutUser, User: &u.User})
		return d.keepsAdmin()
	})
}

// DeleteUser removes a user and their tokens.
func (r *Registry) DeleteUser(ctx context.Context, actor, user string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Users[user]; !ok {
			return fmt.Errorf("user %s: %w", user, ErrNotFound)
		}
		d.do(op{Op: opDeleteUser, ID: user})
		return d.keepsAdmin()
	})
}

func (d *draft) checkUser(u User) error {
	bad := func(field, want, got string) error {
		return &InvalidError{"user " + excerpt(u.Name), field, want, excerpt(got)}
	}
	switch {
	case !validUserName(u.Name):
		return bad("name", wantUserName, u.Name)
	case !u.Role.Valid():
		return bad("role", "admin, supervisor, operator, guard, maintainer or viewer", string(u.Role))
	case u.House != "" && d.next.Devices[u.House].device().Kind != telemetry.SafetyHouse:
		return bad("house", "a registered safety house", u.House)
	}
	return nil
}

// keepsAdmin refuses a change that takes the last enabled administrator away. A registry that never had one may go without.
func (d *draft) keepsAdmin() error {
	if hasAdmin(d.view.state) && !hasAdmin(d.next) {
		return ErrLastAdmin
	}
	return nil
}

func hasAdmin(s *state) bool {
	for _, u := range s.Users {
		if u.Role == Admin && !u.Disabled {
			return true
		}
	}
	return false
}
