package registry

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"watchhouse/internal/durable"
)

// keyring holds the keys of the key file: one a line as 64 hexadecimal digits, # begins a comment. The first seals, all open,
// so a key is changed by putting a new line on top. A key is known by the first 8 digits of its SHA-256.
type keyring struct {
	file string

	mu    sync.RWMutex
	first string // id of the key that seals
	keys  map[string][]byte
}

// openKeyring reads the key file; a missing one is not an error yet.
func openKeyring(file string) (*keyring, error) {
	k := &keyring{file: file, keys: map[string][]byte{}}
	if err := k.load(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return k, nil
}

func (k *keyring) load() error {
	f, err := os.Open(k.file)
	if err != nil {
		return fmt.Errorf("open key file: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		key, err := hex.DecodeString(text)
		if err != nil || len(key) != chacha20poly1305.KeySize {
			return fmt.Errorf("%s:%d: want a key of 64 hexadecimal digits, got another line", k.file, n)
		}
		k.add(key)
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read key file: %w", err)
	}
	if k.first == "" {
		return fmt.Errorf("%s: want at least one key, got none", k.file)
	}
	return nil
}

func (k *keyring) add(key []byte) {
	id := keyID(key)
	if k.first == "" {
		k.first = id
	}
	k.keys[id] = key
}

func keyID(key []byte) string {
	sum := sha256.Sum256(key)
	return hex.EncodeToString(sum[:4])
}

// key gives the key of an id.
func (k *keyring) key(id string) ([]byte, error) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.keys[id]
	if !ok {
		return nil, fmt.Errorf("%w: key %s is not in %s", ErrKey, id, k.file)
	}
	return key, nil
}

// sealing gives the key that seals, and makes the key file when there is none and mayMake allows it.
func (k *keyring) sealing(mayMake bool) (id string, key []byte, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.first != "" {
		return k.first, k.keys[k.first], nil
	}
	if !mayMake {
		return "", nil, fmt.Errorf("%w: %s is missing while there is data sealed with its key; put it back", ErrKey, k.file)
	}
	key = make([]byte, chacha20poly1305.KeySize)
	_, _ = rand.Read(key) // never fails, it ends the process instead
	if err := writeKeyFile(k.file, key); err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	k.add(key)
	return k.first, key, nil
}

// writeKeyFile makes the file whole and on disk before anything is sealed with the key. It never replaces one.
func writeKeyFile(file string, key []byte) error {
	text := "# Key of the personal data of a Watchhouse registry. Keep a copy in a safe place: without it the data is lost.\n" +
		hex.EncodeToString(key) + "\n"
	f, err := os.CreateTemp(filepath.Dir(file), ".key-*") // 0600
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // a leftover is an orphan, not a fault
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), file)
	}
	if err == nil {
		err = durable.SyncDir(filepath.Dir(file))
	}
	if err != nil {
		return fmt.Errorf("make key file: %w", err)
	}
	return nil
}
