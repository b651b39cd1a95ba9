package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"watchhouse/ingest/influxdb"
	"watchhouse/registry"
	"watchhouse/simulators/load"
	"watchhouse/simulators/report"
	"watchhouse/telemetry"
)

// Accounts of a bench hub: enough for the idle connections, which are the most.
const (
	benchButtons = 100
	benchHouses  = 16000
	// Loopback addresses to connect from: one address has about 28,000 ports.
	benchSources = 4
)

// benchHub is a hub in a child process over a temporary data folder.
type benchHub struct {
	HTTP, MQTT string
	cfg        benchHubConfig
	folder     string
	password   string
	token      string // of a viewer
	accounts   []load.Account
	cmd        *exec.Cmd
	database   *influxdb.Server // nil when not asked for
}

// benchHubConfig says what a part needs.
type benchHubConfig struct {
	folder   string // parent of the throw-away folder
	database bool
	profile  string         // file for the hub's CPU profile, "" = none
	devices  []load.Account // registered beside the accounts that put load on
	delay    time.Duration  // of each commit, beside the disk's own
	program  string         // "" = this one
}

func startBenchHub(ctx context.Context, cfg benchHubConfig) (h *benchHub, err error) {
	h = &benchHub{cfg: cfg, password: rand.Text()}
	if h.folder, err = os.MkdirTemp(cfg.folder, "watchhouse-bench-"); err != nil {
		return nil, err
	}
	if err = h.register(ctx); err == nil && cfg.database {
		err = h.startDatabase(ctx)
	}
	if err == nil {
		err = h.start(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, h.stop())
	}
	return h, nil
}

func (h *benchHub) data() string { return filepath.Join(h.folder, "data") }

// register imports the accounts before the hub starts.
func (h *benchHub) register(ctx context.Context) error {
	h.accounts = slices.Concat(
		load.NewAccounts("button", benchButtons, telemetry.EmergencyButton),
		load.NewAccounts("house", benchHouses, telemetry.SafetyHouse))
	var csv bytes.Buffer
	if err := load.WriteAccounts(&csv, slices.Concat(h.accounts, h.cfg.devices)); err != nil {
		return err
	}
	return dataFlags{Data: h.data()}.withRegistry(ctx, func(r *registry.Registry) error {
		if _, err := r.ImportCSV(ctx, actor, &csv); err != nil {
			return err
		}
		if err := r.PutUser(ctx, actor, registry.User{Name: "bench", Role: registry.Viewer}, ""); err != nil {
			return err
		}
		var err error
		h.token, err = r.NewToken(ctx, actor, "bench", "bench")
		return err
	})
}

func (h *benchHub) startDatabase(ctx context.Context) error {
	program, err := influxdb.Find(ctx)
	if err != nil {
		return err
	}
	h.database, err = influxdb.StartConfig(ctx, influxdb.Config{Bin: program, Dir: filepath.Join(h.folder, "influxdb"), NoFlux: true})
	return err
}

func (h *benchHub) start(ctx context.Context) error {
	program := h.cfg.program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return err
		}
	}
	args := []string{"serve", "--data", h.data(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"}
	if h.cfg.profile != "" {
		args = append(args, "--cpu-profile", h.cfg.profile)
	}
	if h.cfg.delay > 0 {
		args = append(args, "--slow-disk", h.cfg.delay.String())
	}
	h.cmd = exec.CommandContext(ctx, program, args...)
	h.cmd.Env = append(os.Environ(), "WATCHHOUSE_ADMIN_PASSWORD="+h.password)
	if h.database != nil {
		h.cmd.Env = append(h.cmd.Env, "WATCHHOUSE_INFLUXDB_URL="+h.database.URL(), "WATCHHOUSE_INFLUXDB_BUCKET="+influxdb.Bucket)
	}
	h.cmd.Stderr = os.Stderr
	stdout, err := h.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := h.cmd.Start(); err != nil {
		return fmt.Errorf("start hub: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("hub did not become ready: %w", err)
	}
	return json.Unmarshal(line, h)
}

// target is this hub with its accounts of one kind, or all of them.
func (h *benchHub) target(kind telemetry.Kind) load.Target {
	accounts := h.accounts
	if kind != "" {
		accounts = slices.DeleteFunc(slices.Clone(accounts), func(a load.Account) bool { return a.Kind != kind })
	}
	return load.Target{Name: "watchhouse", Addr: h.MQTT, Accounts: accounts, Sources: benchSources, PID: h.cmd.Process.Pid}
}

// stop ends the child and removes its folder.
func (h *benchHub) stop() error {
	if h.cmd != nil && h.cmd.Process != nil {
		_ = h.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		_ = h.cmd.Wait()
	}
	var err error
	if h.database != nil {
		err = h.database.Kill() // its data goes with the folder
	}
	return errors.Join(err, os.RemoveAll(h.folder))
}

// fsyncFacts reads how fast the hub's commits were during the run.
func (h *benchHub) fsyncFacts(ctx context.Context) ([]report.Fact, error) {
	metrics, err := h.metrics(ctx)
	if err != nil {
		return nil, err
	}
	var facts []report.Fact
	for _, file := range []string{"life", "bulk"} {
		took := time.Duration(metrics["watchhouse_journal_"+file+"_fsync_p99_seconds"] * float64(time.Second)).Round(10 * time.Microsecond)
		facts = append(facts, report.Fact{Name: "commit p99 of " + file + ".db", Value: took.String()})
	}
	return facts, nil
}

// metrics reads the hub's metrics that have no labels.
func (h *benchHub) metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.HTTP+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	out := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			out[name] = value
		}
	}
	return out, lines.Err()
}
