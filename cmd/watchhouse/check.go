package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"watchhouse/certs"
	"watchhouse/config"
)

// A disk whose fsync is slower than this at the 99th percentile delays acknowledgements visibly (DESIGN section 3).
const slowFsync = 3 * time.Millisecond

// fsyncProbes are enough for a p99 and take a second on a slow disk.
const fsyncProbes = 200

type checkCmd struct {
	Config string `help:"Configuration file (YAML)." placeholder:"FILE"`
	Data   string `help:"Data folder whose disk is measured." placeholder:"DIR"`
}

func (c *checkCmd) Run(_ context.Context, std streams) error {
	cfg, err := serveFlags{Config: c.Config, Data: c.Data}.load()
	if err != nil {
		return err
	}
	fmt.Fprintln(std.out, "configuration, rules, catalog and profiles: ok")
	if err := checkTLS(cfg, std.out, time.Now()); err != nil {
		return err
	}
	folder := existing(cfg.Data)
	if folder != cfg.Data {
		fmt.Fprintf(std.out, "%s does not exist yet: measuring in %s\n", cfg.Data, folder)
	}
	p50, p99, err := measureFsync(folder)
	if err != nil {
		return fmt.Errorf("measure the data disk: %w", err)
	}
	fmt.Fprintf(std.out, "fsync of %s: p50 %v, p99 %v\n", folder, p50, p99)
	if p99 > slowFsync {
		fmt.Fprintf(std.out, "warning: above %v at p99: acknowledgements will be slow; use a disk with power-loss protection\n", slowFsync)
	}
	return nil
}

// checkTLS says what ends soon and what is not encrypted. What has expired is a fault; a hub would still run, unseen by most clients.
func checkTLS(cfg config.Config, out io.Writer, now time.Time) error {
	if insecure := cfg.Insecure(); len(insecure) > 0 {
		fmt.Fprintf(out, "warning: other machines reach %s without encryption (insecure_listeners)\n", strings.Join(insecure, ", "))
	}
	if !cfg.TLS.Enabled() {
		return nil
	}
	store, err := certs.Open(cfg.TLS)
	if err != nil {
		return badConfigError{err}
	}
	for _, warning := range store.Warnings(now) {
		fmt.Fprintln(out, "warning:", warning)
	}
	if until := store.NotAfter(); until.Before(now) {
		return badConfigError{fmt.Errorf("tls.cert_file: %s expired on %s", cfg.TLS.CertFile, until.Format(time.DateOnly))}
	}
	fmt.Fprintf(out, "certificate: ok until %s\n", store.NotAfter().Format(time.DateOnly))
	return nil
}

// existing is folder or its nearest parent that exists: a check leaves nothing behind.
func existing(folder string) string {
	for {
		if info, err := os.Stat(folder); err == nil && info.IsDir() || folder == filepath.Dir(folder) {
			return folder
		}
		folder = filepath.Dir(folder)
	}
}

// measureFsync writes and syncs 4 KiB blocks, as a commit of a lone message does.
func measureFsync(folder string) (p50, p99 time.Duration, err error) {
	file, err := os.Create(filepath.Join(folder, ".fsync-probe"))
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.Remove(file.Name()) }() // left behind it does no harm
	defer file.Close()
	block, took := make([]byte, 4096), make([]time.Duration, 0, fsyncProbes)
	for range fsyncProbes {
		began := time.Now()
		if _, err := file.Write(block); err != nil {
			return 0, 0, err
		}
		if err := file.Sync(); err != nil {
			return 0, 0, err
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}
