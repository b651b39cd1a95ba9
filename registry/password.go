package registry

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"
)

const (
	minPassword = 8   // characters, the floor of NIST SP 800-63B
	maxPassword = 256 // bytes, so that hashing stays bounded
)

// passwordCost is what OWASP's password storage cheat sheet gives for argon2id with 19 MiB; one lane, because two attempts may
// run beside the broker on a small machine.
func passwordCost() *argon2id.Params {
	return &argon2id.Params{Memory: 19 * 1024, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// decoyHash is a hash of the usual cost that no password fits, so that an unknown name takes as long as a known one.
func decoyHash() string {
	p := passwordCost()
	b := make([]byte, p.SaltLength+p.KeyLength)
	_, _ = rand.Read(b) // never fails, it ends the process instead
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", p.Memory, p.Iterations, p.Parallelism,
		enc.EncodeToString(b[:p.SaltLength]), enc.EncodeToString(b[p.SaltLength:]))
}

func checkPassword(user, password string) error {
	if n := utf8.RuneCountInString(password); n < minPassword || len(password) > maxPassword {
		want := fmt.Sprintf("at least %d characters and at most %d bytes", minPassword, maxPassword)
		return &InvalidError{"user " + excerpt(user), "password", want, fmt.Sprintf("%d characters", n)}
	}
	return nil
}

// gate lets two password computations run at a time and a few more wait: a flood of them takes neither the processors nor the
// memory that the alarm path needs. Strangers have one of the two places and a queue of their own, so that no crowd of them keeps out
// who has been here before.
type gate struct {
	running            chan struct{}
	stranger           chan struct{} // the place of strangers among the running
	waiting, strangers chan struct{} // those who wait or run, and the strangers
}

const (
	maxHashing = 2
	maxWaiting = 32 // of each queue
)

func newGate() *gate {
	return &gate{
		running: make(chan struct{}, maxHashing), stranger: make(chan struct{}, maxHashing-1),
		waiting: make(chan struct{}, maxHashing+maxWaiting), strangers: make(chan struct{}, maxHashing-1+maxWaiting),
	}
}

// do runs work when it is its turn; *ThrottledError when too many wait already.
func (g *gate) do(ctx context.Context, known bool, work func() error) error {
	queue, places := g.waiting, []chan struct{}{g.running}
	if !known {
		queue, places = g.strangers, []chan struct{}{g.stranger, g.running}
	}
	select {
	case queue <- struct{}{}:
		defer func() { <-queue }()
	default:
		return &ThrottledError{RetryAfter: time.Second}
	}
	for _, place := range places {
		select {
		case place <- struct{}{}:
			defer func() { <-place }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return work()
}

// hashPassword checks and hashes a new password.
func (r *Registry) hashPassword(ctx context.Context, user, password string) (hash string, err error) {
	if err := checkPassword(user, password); err != nil {
		return "", err
	}
	err = r.gate.do(ctx, true, func() error {
		hash, err = argon2id.CreateHash(password, passwordCost())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password of %s: %w", user, err)
	}
	return hash, nil
}
