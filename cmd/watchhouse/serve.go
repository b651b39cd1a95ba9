package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"time"

	"watchhouse/alerts"
	"watchhouse/certs"
	"watchhouse/config"
	"watchhouse/hub"
	"watchhouse/registry"
)

// stopLimit bounds a whole shutdown; every part has its own smaller limit.
const stopLimit = 40 * time.Second

// serveFlags override the file and the environment.
type serveFlags struct {
	Config string `help:"Configuration file (YAML)." placeholder:"FILE"`
	Data   string `help:"Data folder, the only state." placeholder:"DIR"`
	HTTP   string `help:"Address of page, REST and metrics; the port may be 0." placeholder:"ADDR" name:"http"`
	MQTT   string `help:"Address of MQTT over TCP; the port may be 0." placeholder:"ADDR" name:"mqtt"`

	InsecureListeners bool `help:"Let other machines reach plain listeners, with secrets and calls in clear."`
}

// load gives the configuration with the flags on top, and looks at the rules and the catalog it names: all are the user's to mend.
func (f serveFlags) load() (config.Config, error) {
	cfg, err := config.Load(f.Config, config.Environ())
	if err != nil {
		return config.Config{}, badConfigError{err}
	}
	override(&cfg.Data, f.Data)
	override(&cfg.HTTP, f.HTTP)
	override(&cfg.MQTT.TCP, f.MQTT)
	cfg.InsecureListeners = cfg.InsecureListeners || f.InsecureListeners
	if err := cfg.Validate(); err != nil {
		return config.Config{}, badConfigError{err}
	}
	if err := checkFiles(cfg); err != nil {
		return config.Config{}, badConfigError{err}
	}
	return cfg, nil
}

// checkFiles reads the files that the configuration names, all of them: each fault names its file.
func checkFiles(cfg config.Config) error {
	var faults []error
	note := func(key string, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", key, err))
		}
	}
	_, shipped := alerts.LoadRules(cfg.Alerts.RulesFile)
	note("alerts.rules_file", shipped)
	if shipped == nil {
		_, err := alerts.LoadRules(cfg.Alerts.RulesFile, cfg.Alerts.ExtraRules...)
		note("alerts.extra_rules", err)
	}
	_, err := cfg.Registry.LoadCatalog()
	note("registry.catalog", err)
	if cfg.TLS.Enabled() {
		_, err := certs.Open(cfg.TLS)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func override(target *string, flag string) {
	if flag != "" {
		*target = flag
	}
}

type serveCmd struct {
	serveFlags

	CPUProfile string        `help:"Write a CPU profile of the whole run." placeholder:"FILE" hidden:"" name:"cpu-profile"`
	SlowDisk   time.Duration `help:"How much longer each commit takes, for the bench." hidden:""`
}

// Run serves until SIGTERM or until a part of the hub fails.
func (c *serveCmd) Run(ctx context.Context, std streams) (err error) {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	if c.CPUProfile != "" {
		end, fault := profile(c.CPUProfile)
		if fault != nil {
			return fault
		}
		defer func() { err = errors.Join(err, end()) }()
	}
	if c.SlowDisk > 0 {
		cfg.Journal.CommitDelay = func() time.Duration { return c.SlowDisk }
	}
	h, err := hub.New(ctx, cfg, newLogger(std.err, cfg.Level()))
	if err != nil {
		return err
	}
	if err := firstAdmin(ctx, h, std.err); err != nil {
		return errors.Join(err, stop(ctx, h))
	}
	return serve(ctx, h, std.out)
}

// profile writes where the CPU time goes, until end.
func profile(name string) (end func() error, err error) {
	file, err := os.Create(name)
	if err != nil {
		return nil, badConfigError{err}
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return file.Close()
	}, nil
}

// serve starts h, says so in one line of JSON, waits for the end and stops it.
func serve(ctx context.Context, h *hub.Hub, out io.Writer) error {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	if err := h.Start(); err != nil {
		return errors.Join(err, stop(ctx, h))
	}
	ready := struct {
		Msg       string `json:"msg"`
		HTTP      string `json:"http"`
		MQTT      string `json:"mqtt"`
		TLS       string `json:"mqtt_tls,omitempty"`
		WebSocket string `json:"mqtt_websocket,omitempty"`
		HTTPS     bool   `json:"https,omitempty"`
	}{"ready", h.HTTPAddr(), h.MQTTAddr(), h.MQTTTLSAddr(), h.MQTTWebSocketAddr(), h.HTTPS()}
	if err := json.NewEncoder(out).Encode(ready); err != nil {
		return errors.Join(fmt.Errorf("print ready line: %w", err), stop(ctx, h))
	}
	return errors.Join(wait(ctx, h, hangUp), stop(ctx, h))
}

// wait gives the failure of a part, or nil when ctx ends. A hang-up has the certificates loaded again.
func wait(ctx context.Context, h *hub.Hub, hangUp <-chan os.Signal) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case failure := <-h.Failed():
			return failure
		case <-hangUp:
			h.ReloadCertificates()
		}
	}
}

func stop(ctx context.Context, h *hub.Hub) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	return h.Stop(ctx)
}

// adminPasswordVariable holds the password of the first administrator.
const adminPasswordVariable = "WATCHHOUSE_ADMIN_PASSWORD"

// firstAdmin creates the first administrator and prints a generated password once.
func firstAdmin(ctx context.Context, h *hub.Hub, notice io.Writer) error {
	generated, err := h.EnsureAdmin(ctx, os.Getenv(adminPasswordVariable))
	if refused, ok := errors.AsType[*registry.InvalidError](err); ok {
		return badConfigError{fmt.Errorf("%s: want %s, got %s", adminPasswordVariable, refused.Want, refused.Got)}
	}
	if err != nil {
		return err
	}
	if generated != "" {
		fmt.Fprintf(notice, "\nFirst start: sign in as admin with the password %s (shown only now).\n\n", generated)
	}
	return nil
}

func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}
