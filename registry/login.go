package registry

import (
	"context"
	"fmt"

	"github.com/alexedwards/argon2id"
)

// Login checks a human's password (argon2id, bounded parallelism). An unknown name, a wrong password and a disabled user are
// the same ErrUnauthorized after the same work. known says that the browser has signed in as this user before (KnowsBrowser): such
// logins do not wait for those of strangers. When too many wait it is *ThrottledError; slowing down guessing is the caller's, who
// knows where it comes from.
func (r *Registry) Login(ctx context.Context, user, password string, known bool) (User, error) {
	if len(user) > 64 || len(password) > maxPassword {
		return User{}, ErrUnauthorized
	}
	u, exists := r.View().state.Users[user]
	hash := u.PasswordHash
	if hash == "" {
		exists, hash = false, decoyHash()
	}
	var match bool
	err := r.gate.do(ctx, known, func() (err error) {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("check password of a user: %w", err)
	}
	if !exists || !match || u.Disabled {
		return User{}, ErrUnauthorized
	}
	return u.User, nil
}
