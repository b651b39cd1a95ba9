package registry

import (
	"context"
	"fmt"
	"time"
)

const (
	// tokenPrefix lets people and secret scanners recognise a token.
	tokenPrefix = "wh_"
	maxToken    = 128
)

// NewToken makes a bearer token with the rights of a user, shown once. ErrExists when the user has one of that name.
func (r *Registry) NewToken(ctx context.Context, actor, user, name string) (token string, err error) {
	err = r.edit(ctx, actor, func(d *draft) error {
		if _, ok := d.next.Users[user]; !ok {
			return fmt.Errorf("user %s: %w", user, ErrNotFound)
		}
		if name == "" || !validText(name) {
			return &InvalidError{"token of user " + user, "name", wantLine, excerpt(name)}
		}
		if _, taken := d.token(user, name); taken {
			return fmt.Errorf("token %s of user %s: %w", name, user, ErrExists)
		}
		token = tokenPrefix + newSecret()
		sum := d.hash.sum(purposeToken, "", []byte(token))
		d.do(op{Op: opPutToken, Verifier: &sum, Token: &TokenInfo{User: user, Name: name, CreatedMS: time.Now().UnixMilli()}})
		return nil
	})
	if err != nil {
		return "", err
	}
	return token, nil
}

// RevokeToken ends a token.
func (r *Registry) RevokeToken(ctx context.Context, actor, user, name string) error {
	return r.edit(ctx, actor, func(d *draft) error {
		sum, ok := d.token(user, name)
		if !ok {
			return fmt.Errorf("token %s of user %s: %w", name, user, ErrNotFound)
		}
		d.do(op{Op: opDeleteToken, Verifier: &sum})
		return nil
	})
}

// Token checks a program's bearer token in microseconds. The table is looked up by the HMAC: how long that takes tells nothing
// about the token.
func (r *Registry) Token(token string) (User, error) {
	if len(token) > maxToken {
		return User{}, ErrUnauthorized
	}
	v := r.View()
	info, known := v.state.Tokens[v.hasher.sum(purposeToken, "", []byte(token))]
	u := v.state.Users[info.User]
	if !known || u.Disabled || u.Name == "" {
		return User{}, ErrUnauthorized
	}
	return u.User, nil
}

func (d *draft) token(user, name string) (verifier, bool) {
	for sum, t := range d.next.Tokens {
		if t.User == user && t.Name == name {
			return sum, true
		}
	}
	return verifier{}, false
}
