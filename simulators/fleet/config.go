package fleet

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"watchhouse/simulators/device"
)

// Config of a fleet.
type Config struct {
	Broker   string        `help:"Address of the broker, tcp:// or, encrypted, ssl://." default:"tcp://127.0.0.1:1883" name:"broker"`
	Seed     uint64        `help:"Seed of the devices' behaviour." default:"1"`
	Speed    float64       `help:"Heartbeats come this many times more often than the registry asks for." default:"1"`
	Pace     float64       `help:"Points and garages live this many times faster than the clock; their messages carry the clock's time." default:"1"`
	Hour     float64       `help:"Hour of the day, in Shanghai, at which points and garages begin to live; -1 is now." default:"-1"`
	Boot     uint32        `help:"Restart counter of all devices; 0 takes it from the clock, so that a later run never repeats an earlier one's messages." default:"0"`
	Ramp     time.Duration `help:"Time over which the devices come online at the start." default:"2s"`
	MaxRetry time.Duration `help:"Longest pause between attempts to connect." default:"15s"`

	CAFile       string `help:"Authorities that may have signed the broker's certificate, PEM; the system's when empty." name:"ca-file" placeholder:"FILE"`
	Certificates string `help:"Folder with device-ID.crt and device-ID.key of devices that sign in with certificates." placeholder:"DIR"`

	Bridges map[string]Account `help:"Account of a bridge, for devices that speak through one: chirpstack=ID:SECRET or zigbee2mqtt=ID:SECRET." name:"bridge" placeholder:"SYSTEM=ID:SECRET"`

	Ledger   Ledger      `kong:"-"` // nil = no account is kept
	Progress func(Stats) `kong:"-"` // called each second by Run, from one goroutine; may be nil
}

// DefaultConfig is a healthy fleet at the pace of life.
func DefaultConfig() Config {
	return Config{Broker: "tcp://127.0.0.1:1883", Seed: 1, Speed: 1, Pace: 1, Hour: -1, Ramp: 2 * time.Second, MaxRetry: 15 * time.Second}
}

// Validate names the faulty key.
func (c Config) Validate() error {
	u, err := url.Parse(c.Broker)
	switch {
	case err != nil || u.Scheme != "tcp" && u.Scheme != "ssl" || u.Host == "":
		return fmt.Errorf("broker: want tcp://HOST:PORT or ssl://HOST:PORT, have %q", c.Broker)
	case u.Scheme == "tcp" && (c.CAFile != "" || c.Certificates != ""):
		return fmt.Errorf("ca-file, certificates: need ssl://, have %q", c.Broker)
	case c.Speed < 1:
		return fmt.Errorf("speed: want at least 1 (slower would look like silence), have %v", c.Speed)
	case c.Pace < 1:
		return fmt.Errorf("pace: want at least 1, have %v", c.Pace)
	case c.Hour != -1 && (c.Hour < 0 || c.Hour >= 24):
		return fmt.Errorf("hour: want 0 to below 24, or -1, have %v", c.Hour)
	case c.Ramp < 0 || c.MaxRetry <= 0:
		return fmt.Errorf("ramp, max_retry: want no less than 0 and more than 0, have %v and %v", c.Ramp, c.MaxRetry)
	}
	return nil
}

// Account is what a connection signs in with.
type Account struct{ User, Secret string }

// UnmarshalText reads ID:SECRET.
func (a *Account) UnmarshalText(text []byte) error {
	user, secret, ok := strings.Cut(string(text), ":")
	if !ok || user == "" || secret == "" {
		return errors.New("want ID:SECRET")
	}
	*a = Account{user, secret}
	return nil
}

// from is the moment at which points and garages begin to live: the configured hour of today.
func (c Config) from(now time.Time) time.Time {
	if c.Hour < 0 {
		return now
	}
	const ahead = 8 * time.Hour // of Shanghai
	midnight := now.Add(ahead).Truncate(24 * time.Hour).Add(-ahead)
	return midnight.Add(time.Duration(c.Hour * float64(time.Hour)))
}

// Ledger is told what happened to messages; verify.Ledger is one.
type Ledger interface {
	Sent(m device.Message)
	Acked(m device.Message, at time.Time)
}

type noLedger struct{}

func (noLedger) Sent(device.Message)             {}
func (noLedger) Acked(device.Message, time.Time) {}

// ErrUnknown is a device that is not in the fleet.
var ErrUnknown = errors.New("fleet: no such device")

// Stats of a fleet.
type Stats struct {
	Links, Online         int64 // connections wanted and standing
	Sent, Acked           int64 // messages handed to the network and acknowledged
	Pending               int64 // queued or unacknowledged now
	Reconnects, FailedTry int64
	Commands              int64 // received from the hub
}
