package broker

import (
	"context"
	"log/slog"
	"time"

	"watchhouse/journal"
	"watchhouse/registry"
)

// Config of the broker.
type Config struct {
	TCP            string        `yaml:"tcp"`       // address, ":0" allowed; "" = off
	WebSocket      string        `yaml:"websocket"` // address, "" = off
	MaxConnections int           `yaml:"max_connections"`
	MaxPacketBytes int           `yaml:"max_packet_bytes"`
	ConnectTimeout time.Duration `yaml:"connect_timeout"`
	WriteTimeout   time.Duration `yaml:"write_timeout"`
	MaxKeepalive   time.Duration `yaml:"max_keepalive"`
}

// DefaultConfig and Validate.
func DefaultConfig() Config      { panic("unwritten") }
func (c Config) Validate() error { panic("unwritten") }

// Deps of the broker.
type Deps struct {
	Journal  *journal.Journal
	Registry *registry.Registry
	Log      *slog.Logger
}

// Broker is the embedded MQTT broker.
type Broker struct{}

// New binds the listeners.
func New(cfg Config, d Deps) (*Broker, error) { panic("unwritten") }

// Start serves; Stop closes listeners, then connections, without firing wills, bounded by ctx.
func (b *Broker) Start() error                   { panic("unwritten") }
func (b *Broker) Stop(ctx context.Context) error { panic("unwritten") }

// Addr is the TCP address, WebSocketAddr the WebSocket one, "" when off.
func (b *Broker) Addr() string          { panic("unwritten") }
func (b *Broker) WebSocketAddr() string { panic("unwritten") }

// Publish delivers a command to a connected device's command topic, best effort.
func (b *Broker) Publish(topic string, payload []byte) error { panic("unwritten") }

// Disconnect drops all connections of a principal (revoked).
func (b *Broker) Disconnect(id string) { panic("unwritten") }

// Connected reports whether a device has a live connection.
func (b *Broker) Connected(id string) bool { panic("unwritten") }

// Stats are counters for /metrics.
func (b *Broker) Stats() Stats { panic("unwritten") }

// Stats of the broker.
type Stats struct {
	Connections                               int64
	Received, Acked, Rejected, Shed, AuthFail uint64
}
