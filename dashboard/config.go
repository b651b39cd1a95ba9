package dashboard

import (
	"fmt"
	"net/url"
	"time"
)

// Config of the console's server.
type Config struct {
	SessionLifetime   time.Duration `yaml:"session_lifetime"`     // from sign-in, whatever happens
	SessionIdle       time.Duration `yaml:"session_idle"`         // without a request; an open stream is no request
	SecureCookie      bool          `yaml:"secure_cookie"`        // also behind a proxy that ends TLS; on TLS it is always secure
	TrustedOrigins    []string      `yaml:"trusted_origins"`      // origins besides the hub's own, "https://host[:port]"
	MaxBodyBytes      int64         `yaml:"max_body_bytes"`       // of a request
	MaxStreams        int           `yaml:"max_streams"`          // open consoles
	MaxStreamsPerUser int           `yaml:"max_streams_per_user"` // of them of one user
	Heartbeat         time.Duration `yaml:"heartbeat"`            // between heartbeat frames
	DeviceInterval    time.Duration `yaml:"device_interval"`      // between device frames
	SnapshotInterval  time.Duration `yaml:"snapshot_interval"`    // between saves of the device states
	CatchUpMessages   int           `yaml:"catch_up_messages"`    // read back per lane at start, at most
	MapDir            string        `yaml:"map_dir"`              // folder of one .pmtiles archive of raster tiles; empty = none
	MapCRS            string        `yaml:"map_crs"`              // what the tiles are drawn in: wgs84 or gcj02
}

// DefaultConfig suits a duty desk: a session outlives a twelve-hour shift, and a day ends it.
func DefaultConfig() Config {
	return Config{
		SessionLifetime:   24 * time.Hour,
		SessionIdle:       12 * time.Hour,
		MaxBodyBytes:      64 << 10,
		MaxStreams:        200,
		MaxStreamsPerUser: 16,
		Heartbeat:         5 * time.Second,
		DeviceInterval:    250 * time.Millisecond,
		SnapshotInterval:  time.Minute,
		CatchUpMessages:   200_000,
		MapCRS:            "wgs84",
	}
}

// Validate names the faulty key.
func (c Config) Validate() error {
	if err := c.validateTimes(); err != nil {
		return err
	}
	for _, b := range []struct {
		key              string
		value, low, high int64
	}{
		{"max_body_bytes", c.MaxBodyBytes, 1 << 10, 16 << 20},
		{"max_streams", int64(c.MaxStreams), 1, 10_000},
		{"max_streams_per_user", int64(c.MaxStreamsPerUser), 1, 10_000},
		{"catch_up_messages", int64(c.CatchUpMessages), 0, 100_000_000},
	} {
		if b.value < b.low || b.value > b.high {
			return fmt.Errorf("%s: want %d to %d, have %d", b.key, b.low, b.high, b.value)
		}
	}
	if c.MapCRS != "wgs84" && c.MapCRS != "gcj02" {
		return fmt.Errorf("map_crs: want wgs84 or gcj02, have %q", c.MapCRS)
	}
	return c.validateOrigins()
}

func (c Config) validateTimes() error {
	for _, b := range []struct {
		key              string
		value, low, high time.Duration
	}{
		{"session_lifetime", c.SessionLifetime, time.Minute, 30 * 24 * time.Hour},
		{"session_idle", c.SessionIdle, time.Minute, c.SessionLifetime},
		// The page calls the link stale after 12 s without a frame.
		{"heartbeat", c.Heartbeat, 100 * time.Millisecond, 10 * time.Second},
		{"device_interval", c.DeviceInterval, 10 * time.Millisecond, 10 * time.Second},
		{"snapshot_interval", c.SnapshotInterval, time.Second, time.Hour},
	} {
		if b.value < b.low || b.value > b.high {
			return fmt.Errorf("%s: want %s to %s, have %s", b.key, b.low, b.high, b.value)
		}
	}
	return nil
}

func (c Config) validateOrigins() error {
	for _, o := range c.TrustedOrigins {
		u, err := url.Parse(o)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || o != u.Scheme+"://"+u.Host {
			return fmt.Errorf("trusted_origins: want https://host[:port], have %q", o)
		}
	}
	return nil
}
