package config

import (
	"errors"
	"fmt"
	"log/slog"

	"watchhouse/alerts"
	"watchhouse/broker"
	"watchhouse/certs"
	"watchhouse/dashboard"
	"watchhouse/ingest"
	"watchhouse/journal"
	"watchhouse/registry"
)

// Config of a whole hub. The yaml tag of each field is its section.
type Config struct {
	Data     string `yaml:"data"` // the only state on disk; DIR.key beside it seals personal fields
	HTTP     string `yaml:"http"` // address of page, REST, stream, health and metrics; HTTPS with a certificate
	LogLevel string `yaml:"log_level"`

	InsecureListeners bool `yaml:"insecure_listeners"` // plain ones may be reached from other machines
	LocalWebhooks     bool `yaml:"local_webhooks"`     // orders may be posted to this machine itself

	TLS       certs.Config     `yaml:"tls"`
	MQTT      broker.Config    `yaml:"mqtt"`
	Journal   journal.Config   `yaml:"journal"`
	Registry  registry.Config  `yaml:"registry"`
	Alerts    alerts.Config    `yaml:"alerts"`
	InfluxDB  ingest.Config    `yaml:"influxdb"`
	Dashboard dashboard.Config `yaml:"dashboard"`
}

// Default is a complete Config. Everything is on loopback until an address says otherwise.
func Default() Config {
	return Config{
		Data:      "data",
		HTTP:      "127.0.0.1:8080",
		LogLevel:  "info",
		TLS:       certs.DefaultConfig(),
		MQTT:      broker.DefaultConfig(),
		Journal:   journal.DefaultConfig(),
		Registry:  registry.DefaultConfig(),
		Alerts:    alerts.DefaultConfig(),
		InfluxDB:  ingest.DefaultConfig(),
		Dashboard: dashboard.DefaultConfig(),
	}
}

// Resolved fills what depends on the data folder: the journal's directory and the key file beside it.
func (c Config) Resolved() Config {
	c.Journal.Dir = c.Data
	if c.Registry.KeyFile == "" {
		c.Registry.KeyFile = c.Data + ".key"
	}
	return c
}

// Validate reports every fault, each as a *KeyError.
func (c Config) Validate() error {
	return errors.Join(
		c.validateTop(),
		c.validateListeners(),
		inSection("tls", c.TLS.Validate()),
		inSection("mqtt", c.MQTT.Validate()),
		inSection("journal", c.Journal.Validate()),
		inSection("alerts", c.Alerts.Validate()),
		inSection("influxdb", c.InfluxDB.Validate()),
		inSection("dashboard", c.Dashboard.Validate()),
	)
}

func (c Config) validateTop() error {
	var faults []error
	if c.Data == "" {
		faults = append(faults, &KeyError{"data", errors.New("must name the data folder")})
	}
	var level slog.Level
	if level.UnmarshalText([]byte(c.LogLevel)) != nil {
		faults = append(faults, &KeyError{"log_level", fmt.Errorf("must be debug, info, warn or error, is %q", c.LogLevel)})
	}
	return errors.Join(faults...)
}

// Level is LogLevel as slog knows it; info when it is not valid.
func (c Config) Level() slog.Level {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // Validate has said so already
	return level
}
