package journal

import (
	"errors"
	"fmt"
	"time"
)

// Config of a journal; DefaultConfig fills everything but Dir.
type Config struct {
	Dir           string        `yaml:"-"`
	LifeMaxBytes  int64         `yaml:"life_max_bytes"`
	BulkMaxBytes  int64         `yaml:"bulk_max_bytes"`
	Retention     time.Duration `yaml:"retention"`
	MaxFrameBytes int           `yaml:"max_frame_bytes"`
	ReserveBytes  int64         `yaml:"reserve_bytes"`
	TickInterval  time.Duration `yaml:"tick_interval"`

	// CommitDelay, when not nil, is how much longer each commit takes: a slow disk, for tests and the bench.
	CommitDelay func() time.Duration `yaml:"-"`
}

const (
	mib = 1 << 20
	gib = 1 << 30

	minFileBytes  = mib       // below it the fixed parts of a file alone would be "full"
	minFrameBytes = 4 << 10   // must hold a message with its topic
	maxFrameBytes = 512 << 10 // a frame must fit in one message of a replicated log (1 MiB by default)
)

// DefaultConfig is sized for a subdistrict: a week of it is below a tenth of the caps.
func DefaultConfig() Config {
	return Config{
		LifeMaxBytes:  4 * gib,
		BulkMaxBytes:  16 * gib,
		Retention:     7 * 24 * time.Hour,
		MaxFrameBytes: 256 << 10,
		ReserveBytes:  64 * mib,
		TickInterval:  time.Second,
	}
}

// Validate names the faulty key.
func (c Config) Validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("journal."+format, args...))
		}
	}
	check(c.LifeMaxBytes >= minFileBytes, "life_max_bytes: %d is below %d", c.LifeMaxBytes, minFileBytes)
	check(c.BulkMaxBytes >= minFileBytes, "bulk_max_bytes: %d is below %d", c.BulkMaxBytes, minFileBytes)
	check(c.Retention >= 0, "retention: %s is negative", c.Retention)
	check(c.MaxFrameBytes >= minFrameBytes && c.MaxFrameBytes <= maxFrameBytes,
		"max_frame_bytes: %d is not from %d to %d", c.MaxFrameBytes, minFrameBytes, maxFrameBytes)
	check(c.ReserveBytes >= 0, "reserve_bytes: %d is negative", c.ReserveBytes)
	check(c.TickInterval >= 0, "tick_interval: %s is negative", c.TickInterval)
	return errors.Join(errs...)
}
