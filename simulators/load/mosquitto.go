package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Mosquitto is a child broker to compare with: no persistence, no limits on queues, on loopback.
type Mosquitto struct {
	addr   string
	cmd    *exec.Cmd
	dir    string
	exited chan struct{}
	once   sync.Once
}

// mosquittoConf: one listener; nothing is written to disk; a closed loop must not meet a queue limit.
const mosquittoConf = `listener %d 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 0
max_queued_messages 0
set_tcp_nodelay true
log_dest none
`

// StartMosquitto runs the program at path ("" = mosquitto in PATH) on a free port and waits until it accepts connections.
func StartMosquitto(ctx context.Context, path string) (*Mosquitto, error) {
	if path == "" {
		path = "mosquitto"
	}
	program, err := lookMosquitto(path)
	if err != nil {
		return nil, fmt.Errorf("load: start mosquitto: %w", err)
	}
	var last error
	for range 3 { // another process may take the free port in between
		m, err := startMosquitto(ctx, program)
		if err == nil {
			return m, nil
		}
		last = err
	}
	return nil, fmt.Errorf("load: start mosquitto: %w", last)
}

// lookMosquitto also looks where Debian puts it, outside a user's PATH.
func lookMosquitto(path string) (string, error) {
	program, err := exec.LookPath(path)
	if err == nil {
		return program, nil
	}
	if sbin, e := exec.LookPath(filepath.Join("/usr/sbin", filepath.Base(path))); e == nil {
		return sbin, nil
	}
	return "", err
}

func startMosquitto(ctx context.Context, program string) (*Mosquitto, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mosquitto")
	if err != nil {
		return nil, err
	}
	m := &Mosquitto{addr: fmt.Sprintf("127.0.0.1:%d", port), dir: dir, exited: make(chan struct{})}
	conf := filepath.Join(dir, "mosquitto.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, mosquittoConf, port), 0o644); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	m.cmd = exec.Command(program, "-c", conf)
	if err := m.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	go func() {
		_ = m.cmd.Wait() // how it ended shows in whether it accepts connections
		close(m.exited)
	}()
	if err := m.ready(ctx); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (m *Mosquitto) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", m.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-m.exited:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("not ready: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Target is the child as a target; clients need no accounts.
func (m *Mosquitto) Target() Target {
	return Target{Name: "mosquitto", Addr: m.addr, PID: m.cmd.Process.Pid}
}

// Stop ends the child and removes its configuration. Idempotent.
func (m *Mosquitto) Stop() {
	m.once.Do(func() {
		_ = m.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-m.exited:
		case <-time.After(5 * time.Second):
			_ = m.cmd.Process.Kill()
			<-m.exited
		}
		_ = os.RemoveAll(m.dir) // a leftover file in the system's temporary folder harms nothing
	})
}
