package broker

import (
	"errors"
	"fmt"
	"time"
)

// Config of the broker.
type Config struct {
	TCP            string        `yaml:"tcp"`              // address, ":0" allowed; "" = off
	TLS            string        `yaml:"tls"`              // address, "" = off
	WebSocket      string        `yaml:"websocket"`        // address, "" = off; any path, subprotocol "mqtt"
	MaxConnections int           `yaml:"max_connections"`  // over it a connection is closed as soon as it is accepted
	MaxConnectRate int           `yaml:"max_connect_rate"` // sign-ins a second, of all; TLS handshakes a second, of each address
	MaxPacketBytes int           `yaml:"max_packet_bytes"` // a whole packet, header included
	ConnectTimeout time.Duration `yaml:"connect_timeout"`  // from accept until CONNECT has arrived whole
	WriteTimeout   time.Duration `yaml:"write_timeout"`    // of one write to a socket
	MaxKeepalive   time.Duration `yaml:"max_keepalive"`    // longer ones, and none, are cut to it
	Account        Limits        `yaml:"account"`          // what one account may take
	Strangers      Strangers     `yaml:"strangers"`        // what those may take who have not signed in
}

const (
	minPacketBytes = 1 << 10
	maxPacketBytes = 240 << 10 // a message and its envelope must fit one frame of the journal, 256 KiB
	minKeepalive   = 10 * time.Second
	maxKeepalive   = 65535 * time.Second // the field in CONNECT has 16 bits
)

// DefaultConfig listens on the registered MQTT port, for this machine only. The longest keepalive is the longest report interval of a shipped kind,
// the battery button's.
func DefaultConfig() Config {
	return Config{
		TCP:            "127.0.0.1:1883",
		MaxConnections: 100_000,
		MaxConnectRate: 1000,
		MaxPacketBytes: 128 << 10,
		ConnectTimeout: 10 * time.Second,
		WriteTimeout:   10 * time.Second,
		MaxKeepalive:   4 * time.Hour,
		Account:        DefaultLimits(),
		Strangers:      DefaultStrangers(),
	}
}

// Validate names every faulty key.
func (c Config) Validate() error {
	return errors.Join(
		check(c.TCP != "" || c.TLS != "" || c.WebSocket != "", "tcp: set it, tls or websocket: the broker listens nowhere"),
		between("max_connections", c.MaxConnections, 1, 1_000_000),
		between("max_connect_rate", c.MaxConnectRate, 1, 1_000_000),
		between("max_packet_bytes", c.MaxPacketBytes, minPacketBytes, maxPacketBytes),
		between("connect_timeout", c.ConnectTimeout, time.Millisecond, time.Minute),
		between("write_timeout", c.WriteTimeout, time.Millisecond, time.Minute),
		between("max_keepalive", c.MaxKeepalive, minKeepalive, maxKeepalive),
		c.Account.validate(),
		c.Strangers.validate(),
	)
}

func check(ok bool, message string) error {
	if ok {
		return nil
	}
	return errors.New(message)
}

func between[T int | time.Duration](key string, got, low, high T) error {
	return check(low <= got && got <= high, fmt.Sprintf("%s: %v is not between %v and %v", key, got, low, high))
}
