package registry

import (
	"context"
	"fmt"

	"github.com/alexedwards/argon2id"
)

// Login checks a human's password (argon2id, bounded parallelism). An unknown name, a wrong password and a disabled user are
// the same ErrUnauthorized after the same work; too many failures of a name are *ThrottledError.
func (r *Registry) Login(ctx context.Context, user, password string) (User, error) {
	if len(user) > 64 || len(password) > maxPassword {
		return User{}, ErrUnauthorized
	}
	if err := r.slow.begin(user); err != nil {
		return User{}, err
	}
	u, known := r.View().state.Users[user]
	hash := u.PasswordHash
	if hash == "" {
		known, hash = false, decoyHash()
	}
	var match bool
	err := r.gate.do(ctx, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	if err != nil {
		r.slow.giveBack(user)
		return User{}, fmt.Errorf("check password of a user: %w", err)
	}
	if !known || !match || u.Disabled {
		return User{}, ErrUnauthorized
	}
	r.slow.succeed(user)
	return u.User, nil
}
