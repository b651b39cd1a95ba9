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
	folder     string
	password   string
	accounts   []load.Account
	cmd        *exec.Cmd
}

func startBenchHub(ctx context.Context, parent string) (h *benchHub, err error) {
	h = &benchHub{password: rand.Text()}
	if h.folder, err = os.MkdirTemp(parent, "watchhouse-bench-"); err != nil {
		return nil, err
	}
	if err = h.register(ctx); err == nil {
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
	if err := load.WriteAccounts(&csv, h.accounts); err != nil {
		return err
	}
	return dataFlags{Data: h.data()}.withRegistry(ctx, func(r *registry.Registry) error {
		_, err := r.ImportCSV(ctx, actor, &csv)
		return err
	})
}

func (h *benchHub) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	h.cmd = exec.CommandContext(ctx, self, "serve", "--data", h.data(), "--http", "127.0.0.1:0", "--mqtt", "127.0.0.1:0")
	h.cmd.Env = append(os.Environ(), "WATCHHOUSE_ADMIN_PASSWORD="+h.password)
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
	return os.RemoveAll(h.folder)
}

// fsyncFacts reads how fast the hub's commits were during the run.
func (h *benchHub) fsyncFacts(ctx context.Context) ([]report.Fact, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.HTTP+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var facts []report.Fact
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		for _, wanted := range []string{"life", "bulk"} {
			if seconds, err := strconv.ParseFloat(value, 64); err == nil && name == "watchhouse_journal_"+wanted+"_fsync_p99_seconds" {
				took := time.Duration(seconds * float64(time.Second)).Round(10 * time.Microsecond)
				facts = append(facts, report.Fact{Name: "commit p99 of " + wanted + ".db", Value: took.String()})
			}
		}
	}
	return facts, nil
}
