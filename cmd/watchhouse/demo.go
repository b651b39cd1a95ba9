package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"watchhouse/config"
	"watchhouse/examples/hudong"
	"watchhouse/hub"
	"watchhouse/internal/durable"
	"watchhouse/registry"
	"watchhouse/simulators/fleet"
	"watchhouse/simulators/speak"
)

// demoMark lies in every folder the demo has made: only such a folder is ever emptied.
const demoMark = "this-is-a-demo"

const (
	// demoSpeed lets heartbeats come more often than in life, so that the screen moves while somebody watches.
	demoSpeed = 4
	// demoPace lets bins and garages live a day in 24 minutes, and demoHour lets it begin before the evening's rain of bags.
	demoPace = 60
	demoHour = 17.4
)

type demoCmd struct {
	Data string `help:"Folder of the demo, emptied at each start." default:".cache/demo" placeholder:"DIR"`
	Keep bool   `help:"Go on with the last demo's data instead of starting clean."`
	HTTP string `help:"Address of the page; the port may be 0." default:"127.0.0.1:8080" name:"http" placeholder:"ADDR"`
	MQTT string `help:"Address of MQTT over TCP; the port may be 0." default:"127.0.0.1:1883" name:"mqtt" placeholder:"ADDR"`
	Seed uint64 `help:"Seed of the simulated devices." default:"1"`

	InsecureListeners bool `help:"Let other machines reach page and MQTT without encryption."`
}

// Run runs hub, database and devices until interrupted.
func (c *demoCmd) Run(ctx context.Context, std streams) (err error) {
	if err := c.config("").Validate(); err != nil {
		return badConfigError{err}
	}
	if err := c.prepare(); err != nil {
		return err
	}
	log, closeLog, err := c.logger()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeLog()) }()
	database, err := newDemoDatabase(c.Data, log)
	if err != nil {
		return err
	}
	h, err := hub.New(ctx, c.config(database.url), log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop(ctx, h)) }()
	furniture, err := c.furnish(ctx, h)
	if err != nil {
		return err
	}
	if err := h.Start(); err != nil {
		return err
	}
	c.welcome(std.out, h, furniture.password)
	return c.play(ctx, cast{hub: h, database: database, furniture: furniture, log: log, out: std.out})
}

func (c *demoCmd) config(databaseURL string) config.Config {
	cfg := config.Default()
	cfg.Data, cfg.HTTP, cfg.MQTT.TCP = filepath.Join(c.Data, "data"), c.HTTP, c.MQTT
	cfg.InfluxDB.URL, cfg.InsecureListeners = databaseURL, c.InsecureListeners
	return cfg
}

// prepare empties the folder of an earlier demo; a folder that is not a demo's is left alone.
func (c *demoCmd) prepare() error {
	mark := filepath.Join(c.Data, demoMark)
	entries, err := os.ReadDir(c.Data)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(mark); err != nil && len(entries) > 0 {
		return badConfigError{fmt.Errorf("%s is not empty and was not made by a demo: choose another --data", c.Data)}
	}
	if !c.Keep {
		if err := os.RemoveAll(c.Data); err != nil {
			return err
		}
	}
	if err := durable.MkdirAll(c.Data, 0o700); err != nil {
		return err
	}
	return durable.WriteFile(mark, nil)
}

// logger writes the hub's log to a file: the terminal is for the person trying it out.
func (c *demoCmd) logger() (*slog.Logger, func() error, error) {
	file, err := os.OpenFile(filepath.Join(c.Data, "hub.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	return newLogger(file, slog.LevelInfo), file.Close, nil
}

// furniture is what only the demo knows of what it registered.
type furniture struct {
	secrets  map[string]string        // of devices
	bridges  map[string]fleet.Account // by system
	password string                   // of the users
}

// furnish registers the example subdistrict, the bridges and the users; secrets and passwords are new each time.
func (c *demoCmd) furnish(ctx context.Context, h *hub.Hub) (f furniture, err error) {
	r := h.Registry()
	if err := importExample(ctx, r); err != nil {
		return f, err
	}
	if f.secrets, err = renewSecrets(ctx, r); err != nil {
		return f, err
	}
	if f.bridges, err = openBridges(ctx, r); err != nil {
		return f, err
	}
	f.password = rand.Text()[:12]
	for name, role := range map[string]registry.Role{"admin": registry.Admin, "operator": registry.Operator} {
		if err := r.PutUser(ctx, "demo", registry.User{Name: name, Role: role}, f.password); err != nil {
			return f, fmt.Errorf("user %s: %w", name, err)
		}
	}
	return f, nil
}

// openBridges gives the systems of the bought devices their accounts.
func openBridges(ctx context.Context, r *registry.Registry) (map[string]fleet.Account, error) {
	accounts := map[string]fleet.Account{}
	for system, filter := range map[string]string{speak.ChirpStack: "application/#", speak.Zigbee2MQTT: "zigbee2mqtt/#"} {
		id := "bridge-" + system
		secret, err := r.PutAccess(ctx, "demo", id, []registry.Grant{{Filter: filter, Publish: true}}, registry.GenerateSecret)
		if err != nil {
			return nil, fmt.Errorf("account of %s: %w", system, err)
		}
		accounts[system] = fleet.Account{User: id, Secret: secret}
	}
	return accounts, nil
}

// importExample registers the committees, sites, contacts and devices of the example.
func importExample(ctx context.Context, r *registry.Registry) error {
	if _, err := r.ImportAreas(ctx, "demo", bytes.NewReader(hudong.Areas)); err != nil {
		return fmt.Errorf("example committees: %w", err)
	}
	if _, err := r.ImportPlaces(ctx, "demo", bytes.NewReader(hudong.Places)); err != nil {
		return fmt.Errorf("example places: %w", err)
	}
	if _, err := r.ImportContacts(ctx, "demo", bytes.NewReader(hudong.Contacts)); err != nil {
		return fmt.Errorf("example contacts: %w", err)
	}
	if _, err := r.ImportCSV(ctx, "demo", bytes.NewReader(hudong.Devices)); err != nil {
		return fmt.Errorf("example devices: %w", err)
	}
	return nil
}

// renewSecrets gives every device a new secret: the simulated ones need them in clear, and the registry keeps none.
func renewSecrets(ctx context.Context, r *registry.Registry) (map[string]string, error) {
	devices, wanted := r.View().Devices(), map[string]string{}
	for _, device := range devices {
		wanted[device.ID] = registry.GenerateSecret
	}
	secrets, err := r.PutDevices(ctx, "demo", devices, wanted)
	if err != nil {
		return nil, fmt.Errorf("secrets of the example devices: %w", err)
	}
	return secrets, nil
}

func (c *demoCmd) welcome(w io.Writer, h *hub.Hub, password string) {
	fmt.Fprintf(w, `
  Watchhouse 平安哨 is running with the simulated subdistrict (nobody in it is real).

    page      http://%s
    sign in   operator   (or admin)
    password  %s
    MQTT      %s
    log       %s

  The story begins when the first console has signed in. Ctrl-C ends it.

`, h.HTTPAddr(), password, h.MQTTAddr(), filepath.Join(c.Data, "hub.log"))
}

// firstConsole closes open when somebody has a console open; not when ctx ends before.
func firstConsole(ctx context.Context, h *hub.Hub, open chan<- struct{}) {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for h.Consoles() == 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
	close(open)
}
