package alerts

import (
	"fmt"
	"time"
)

// Config of the engine.
type Config struct {
	RulesFile        string        `yaml:"rules_file"`        // "" = the shipped rules
	ExtraRules       []string      `yaml:"extra_rules"`       // files with further rules
	SnapshotInterval time.Duration `yaml:"snapshot_interval"` // how much a restart may have to read again
	BlindAfterStart  time.Duration `yaml:"blind_after_start"` // how long after hub_start nobody is called silent
}

// DefaultConfig is for the subdistrict. The blind time lets devices whose keep-alive is a minute find their way back.
func DefaultConfig() Config {
	return Config{SnapshotInterval: 5 * time.Minute, BlindAfterStart: 5 * time.Minute}
}

// Validate names the faulty key.
func (c Config) Validate() error {
	if c.SnapshotInterval < time.Second {
		return fmt.Errorf("snapshot_interval: want at least 1s, got %s", c.SnapshotInterval)
	}
	if c.BlindAfterStart < 0 || c.BlindAfterStart > time.Hour {
		return fmt.Errorf("blind_after_start: want 0s to 1h, got %s", c.BlindAfterStart)
	}
	return nil
}
