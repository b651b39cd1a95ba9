package config

import (
	"errors"
	"fmt"
	"net"
)

// listener is an address the hub listens on.
type listener struct {
	key, address string
	plain        bool
}

// listeners are those that are on.
func (c Config) listeners() []listener {
	var on []listener
	for _, l := range []listener{
		{"http", c.HTTP, !c.TLS.Enabled()},
		{"mqtt.tcp", c.MQTT.TCP, true},
		{"mqtt.tls", c.MQTT.TLS, false},
		{"mqtt.websocket", c.MQTT.WebSocket, !c.TLS.Enabled()},
	} {
		if l.address != "" || l.key == "http" {
			on = append(on, l)
		}
	}
	return on
}

// Insecure lists the keys of listeners that other machines reach without encryption.
func (c Config) Insecure() []string {
	var keys []string
	for _, l := range c.listeners() {
		if l.plain && !onLoopback(l.address) {
			keys = append(keys, l.key)
		}
	}
	return keys
}

func (c Config) validateListeners() error {
	var faults []error
	for _, l := range c.listeners() {
		faults = append(faults, checkAddress(l.key, l.address))
	}
	if c.MQTT.TLS != "" && !c.TLS.Enabled() {
		faults = append(faults, &KeyError{"mqtt.tls", errors.New("needs tls.cert_file and tls.key_file: watchhouse tls init makes them")})
	}
	if !c.InsecureListeners {
		for _, key := range c.Insecure() {
			faults = append(faults, &KeyError{key, errors.New(plainFault(key))})
		}
	}
	return errors.Join(faults...)
}

// plainFault says why a plain listener is refused, and the ways out.
func plainFault(key string) string {
	encrypted := "set tls.cert_file and tls.key_file"
	if key == "mqtt.tcp" {
		encrypted += " and use mqtt.tls"
	}
	return "other machines would reach it without encryption, secrets in clear: listen on 127.0.0.1, or " + encrypted +
		" (watchhouse tls init makes a certificate), or set insecure_listeners: true (--insecure-listeners) to accept that"
}

// checkAddress wants HOST:PORT with a port that exists.
func checkAddress(key, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return &KeyError{key, fmt.Errorf("must be HOST:PORT with a port from 0 to 65535, is %q", address)}
	}
	return nil
}

// onLoopback reports whether only this machine reaches the address. An address that is none is checkAddress's business; a host name but
// localhost may mean anything.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err != nil || host == "localhost" || ip != nil && ip.IsLoopback()
}
