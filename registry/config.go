package registry

import "errors"

// Config of the registry.
type Config struct {
	// KeyFile holds the key of the personal fields, outside the data folder: a copy of the data alone discloses nobody. It is
	// made (0600) when the first person is entered and it is absent.
	KeyFile string `yaml:"key_file"`
}

// DefaultConfig has no key file: hub puts it beside --data as DIR.key.
func DefaultConfig() Config { return Config{} }

// Validate names the faulty key.
func (c Config) Validate() error {
	if c.KeyFile == "" {
		return errors.New("registry.key_file: want the path of a file outside the data folder, got nothing")
	}
	return nil
}
