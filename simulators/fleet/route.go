package fleet

import (
	"fmt"
	"time"

	"watchhouse/simulators/device"
	"watchhouse/simulators/speak"
)

// routes finds or makes the link that a device speaks through.
type routes struct {
	fleet   *Fleet
	start   time.Time
	bridges map[string]*link // by system
}

// own gives a device a connection of its own, under its own prefix.
func (r *routes) own(s device.Spec) {
	s.Gateway = ""
	l := newLink(r.fleet, Account{s.ID, s.Secret})
	r.fleet.add(s, l, device.Options{Start: r.start})
}

// foreign connects a device of a model that does not speak wh/v1, false = it does. A ChirpStack server and zigbee2mqtt each have one
// connection for all their devices; a ThingsBoard device has its own, and its token in the place of the name.
func (r *routes) foreign(s device.Spec) (bool, error) {
	voice, system, err := speak.For(s)
	if err != nil || voice == nil {
		return false, err
	}
	s.Gateway = ""
	o := device.Options{Start: r.start, Voice: voice}
	if system == speak.ThingsBoard {
		l := newLink(r.fleet, Account{User: s.ID + "." + s.Secret})
		l.name, l.foreign = s.ID, true
		r.fleet.add(s, l, o)
		return true, nil
	}
	l, err := r.bridge(system, s.ID)
	if err != nil {
		return false, err
	}
	r.fleet.add(s, l, o)
	return true, nil
}

func (r *routes) bridge(system, dev string) (*link, error) {
	if l, ok := r.bridges[system]; ok {
		return l, nil
	}
	account, ok := r.fleet.cfg.Bridges[system]
	if !ok {
		return nil, fmt.Errorf("fleet: device %s speaks through %s: want the account of that bridge, have none", dev, system)
	}
	l := newLink(r.fleet, account)
	l.foreign, l.bridge = true, true
	l.name = account.User + "~" + system // the account may be that of both bridges
	r.bridges[system] = l
	return l, nil
}

// LacksSecret reports whether a device signs in by itself and has nothing to sign in with.
func (c Config) LacksSecret(s device.Spec) bool {
	_, system, err := speak.For(s)
	bridged := err == nil && (system == speak.ChirpStack || system == speak.Zigbee2MQTT)
	return s.Secret == "" && s.Gateway == "" && !bridged && !c.HasCertificate(s.ID)
}
