package registry

import (
	"errors"

	"watchhouse/telemetry/catalog"
)

// Config of the registry.
type Config struct {
	// KeyFile holds the key of the personal fields, outside the data folder: a copy of the data alone discloses nobody. It is
	// made (0600) when the first person is entered and it is absent.
	KeyFile string `yaml:"key_file"`
	// Catalog names files that add kinds, metrics and models to the shipped ones.
	Catalog []string `yaml:"catalog"`
}

// DefaultConfig has no key file: hub puts it beside --data as DIR.key.
func DefaultConfig() Config { return Config{} }

// LoadCatalog reads the shipped catalog and the files of the configuration.
func (c Config) LoadCatalog() (*catalog.Catalog, error) { return catalog.Load(c.Catalog...) }

// Validate names the faulty key. It reads no file.
func (c Config) Validate() error {
	if c.KeyFile == "" {
		return errors.New("registry.key_file: want the path of a file outside the data folder, got nothing")
	}
	return nil
}
