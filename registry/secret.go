package registry

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"sync"
)

// GenerateSecret in place of a secret asks for a generated one.
const GenerateSecret = "generate"

const (
	// minSecret is the shortest chosen secret. Short ones exist only because some devices ship with theirs.
	minSecret = 8
	// maxSecret bounds the work of an attempt to connect.
	maxSecret = 256
)

// newSecret makes a secret of 130 random bits in lower-case base32.
func newSecret() string { return strings.ToLower(rand.Text()) }

// checkSecret tells why a chosen secret cannot be accepted; the secret itself is never part of it.
func checkSecret(subject, secret string) error {
	if n := len(secret); n < minSecret || n > maxSecret {
		want := fmt.Sprintf("%d to %d bytes, or %q", minSecret, maxSecret, GenerateSecret)
		return &InvalidError{Subject: subject, Field: "secret", Want: want, Got: strconv.Itoa(n) + " bytes"}
	}
	return nil
}

// verifier is what is kept of a secret: HMAC-SHA256 over its purpose, the id and the secret.
type verifier [sha256.Size]byte

func (v verifier) equal(o verifier) bool { return subtle.ConstantTimeCompare(v[:], o[:]) == 1 }

// MarshalText makes verifiers readable, also as keys of JSON objects.
func (v verifier) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, v[:]), nil
}

// UnmarshalText reads what MarshalText wrote.
func (v *verifier) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(b) != len(v) {
		return fmt.Errorf("verifier of %d characters is damaged", len(text))
	}
	copy(v[:], b)
	return nil
}

// Purposes keep a verifier of one thing from passing as that of another.
const (
	purposeConnect = "connect"
	purposeToken   = "token"
	purposeBrowser = "browser"
)

// hasher computes verifiers without allocating.
type hasher struct{ pool sync.Pool }

// mac is one computation; its buffers outlive the call so that nothing escapes to the heap.
type mac struct {
	hash hash.Hash
	in   []byte
	out  [sha256.Size]byte
}

func newHasher(key []byte) *hasher {
	return &hasher{pool: sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, key)} }}}
}

func (h *hasher) sum(purpose, id string, secret []byte) verifier {
	m, ok := h.pool.Get().(*mac)
	if !ok {
		return verifier{}
	}
	m.in = append(append(m.in[:0], purpose...), 0)
	m.in = append(append(m.in, id...), 0)
	m.in = append(m.in, secret...)
	m.hash.Reset()
	m.hash.Write(m.in)
	m.hash.Sum(m.out[:0])
	v := verifier(m.out)
	clear(m.in)
	h.pool.Put(m)
	return v
}
