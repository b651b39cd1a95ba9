package registry

import (
	"crypto/rand"
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealed is a Personal under XChaCha20-Poly1305: Box is the nonce and the ciphertext of its JSON, bound to the person's id.
type sealed struct {
	Key string `json:"key"`
	Box []byte `json:"box"`
}

// sealContext binds a box to its purpose and person, so that two people's boxes cannot be exchanged unnoticed.
func sealContext(id string) []byte { return []byte("watchhouse/person/" + id) }

func seal(keyID string, key []byte, id string, p Personal) (*sealed, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	plain, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode person %s: %w", id, err)
	}
	box := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(box) // never fails, it ends the process instead
	return &sealed{Key: keyID, Box: aead.Seal(box, box, plain, sealContext(id))}, nil
}

// unseal opens a box. Its errors never hold what was inside.
func (k *keyring) unseal(id string, s sealed) (Personal, error) {
	key, err := k.key(s.Key)
	if err != nil {
		return Personal{}, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return Personal{}, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(s.Box) < aead.NonceSize() {
		return Personal{}, fmt.Errorf("%w: the record of person %s is damaged", ErrKey, id)
	}
	nonce, box := s.Box[:aead.NonceSize()], s.Box[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, box, sealContext(id))
	if err != nil {
		return Personal{}, fmt.Errorf("%w: the record of person %s does not open with key %s", ErrKey, id, s.Key)
	}
	var p Personal
	if err := json.Unmarshal(plain, &p); err != nil {
		return Personal{}, fmt.Errorf("%w: the record of person %s holds something else", ErrKey, id)
	}
	return p, nil
}
