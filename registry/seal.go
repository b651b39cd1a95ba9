package registry

import (
	"crypto/rand"
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// sealed are personal fields under XChaCha20-Poly1305: Box is the nonce and the ciphertext of their JSON, bound to whose they are.
type sealed struct {
	Key string `json:"key"`
	Box []byte `json:"box"`
}

// owner is whose fields are in a box.
type owner struct{ kind, id string }

func personOwner(id string) owner  { return owner{"person", id} }
func contactOwner(id string) owner { return owner{"contact", id} }

func (o owner) String() string { return o.kind + " " + o.id }

// context binds a box to its purpose and owner, so that the boxes of two people cannot be exchanged unnoticed.
func (o owner) context() []byte { return []byte("watchhouse/" + o.kind + "/" + o.id) }

func seal(keyID string, key []byte, of owner, fields any) (*sealed, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	plain, err := json.Marshal(fields)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", of, err)
	}
	box := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(box) // never fails, it ends the process instead
	return &sealed{Key: keyID, Box: aead.Seal(box, box, plain, of.context())}, nil
}

// unseal opens a box. Its errors never hold what was inside.
func unseal[T Personal | Reach](k *keyring, of owner, s sealed) (fields T, err error) {
	var none T
	key, err := k.key(s.Key)
	if err != nil {
		return none, err
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return none, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if len(s.Box) < aead.NonceSize() {
		return none, fmt.Errorf("%w: the record of %s is damaged", ErrKey, of)
	}
	nonce, box := s.Box[:aead.NonceSize()], s.Box[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, box, of.context())
	if err != nil {
		return none, fmt.Errorf("%w: the record of %s does not open with key %s", ErrKey, of, s.Key)
	}
	if err := json.Unmarshal(plain, &fields); err != nil {
		return none, fmt.Errorf("%w: the record of %s holds something else", ErrKey, of)
	}
	return fields, nil
}
