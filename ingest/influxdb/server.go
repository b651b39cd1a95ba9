package influxdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"watchhouse/internal/durable"
)

// stopGrace is how long Stop waits for a clean end before it kills: influxd flushes its cache first.
const stopGrace = 10 * time.Second

// Server is a child influxd.
type Server struct {
	cfg  Config
	addr string // host:port of HTTP, kept over restarts

	mu    sync.Mutex
	child *child // nil when stopped
}

// Start runs bin with its data in dir and waits until the database can be written; ctx bounds the wait, not the server.
func Start(ctx context.Context, bin, dir string) (*Server, error) {
	return StartConfig(ctx, Config{Bin: bin, Dir: dir})
}

// StartConfig is Start with everything that can be set.
func StartConfig(ctx context.Context, cfg Config) (*Server, error) {
	dir, err := filepath.Abs(cfg.Dir)
	if err != nil {
		return nil, fmt.Errorf("influxd folder: %w", err)
	}
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("influxd folder: %w", err)
	}
	cfg.Dir = dir
	if cfg.Addr == "" {
		return startOnFreePort(ctx, cfg)
	}
	s := &Server{cfg: cfg, addr: cfg.Addr}
	return s, s.start(ctx)
}

// startOnFreePort tries again with another port when the server could not bind the first.
func startOnFreePort(ctx context.Context, cfg Config) (*Server, error) {
	const attempts = 3
	for n := 1; ; n++ {
		addr, err := FreeAddr()
		if err != nil {
			return nil, err
		}
		s := &Server{cfg: cfg, addr: addr}
		err = s.start(ctx)
		if err == nil {
			return s, nil
		}
		if n == attempts || !strings.Contains(err.Error(), "address already in use") {
			return nil, err
		}
	}
}

// URL is the server's base address.
func (s *Server) URL() string { return "http://" + s.addr }

// PID is the child's process, 0 when it is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil {
		return 0
	}
	return s.child.proc.Pid
}

// Running reports whether the child lives.
func (s *Server) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child != nil && !s.child.ended()
}

// Stop ends the server cleanly, or by force after ten seconds. Stopping a stopped server is no error.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(os.Interrupt)
}

// Kill ends the server with SIGKILL, as a power cut would end it.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(os.Kill)
}

// Restart starts a stopped or dead server again on the same port and data; a running one is stopped first.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.end(os.Interrupt); err != nil {
		return err
	}
	return s.start(ctx)
}

// start runs the child and waits for it. The caller holds mu, or nobody else knows s.
func (s *Server) start(ctx context.Context) error {
	rpc, err := FreeAddr()
	if err != nil {
		return err
	}
	set := settings{
		dir: s.cfg.Dir, httpAddr: s.addr, rpcAddr: rpc, nonce: rand.Text(),
		maxBodyBytes: s.cfg.MaxBodyBytes, flux: !s.cfg.NoFlux,
	}
	path := filepath.Join(s.cfg.Dir, "influxd.conf")
	if err := os.WriteFile(path, []byte(set.text()), 0o600); err != nil {
		return fmt.Errorf("influxd config: %w", err)
	}
	c, err := startChild(s.cfg.Bin, path, filepath.Join(s.cfg.Dir, "influxd.log"))
	if err != nil {
		return err
	}
	if err := c.ready(ctx, s.URL(), set.nonce); err != nil {
		return errors.Join(err, c.end(os.Kill))
	}
	s.child = c
	return nil
}

func (s *Server) end(how os.Signal) error {
	if s.child == nil {
		return nil
	}
	err := s.child.end(how)
	s.child = nil
	return err
}
