package influxdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"time"
)

// errEnded: the process ended before it could be used.
var errEnded = errors.New("influxd ended at once")

// nonceHeader is the response header by which a started server is recognised.
const nonceHeader = "X-Watchhouse-Start"

// child is one run of influxd. done closes when the process is gone and its log is closed.
type child struct {
	proc    *os.Process
	logPath string
	done    chan struct{}
}

// startChild runs influxd with its output in logPath. The goroutine that starts the process keeps its OS thread until the
// process ends: on Linux the child is told to die with the thread that made it, and the runtime ends idle threads. The
// thread is never given back: it has the child's low priority.
func startChild(bin, configPath, logPath string) (*child, error) {
	out, err := os.OpenFile(logPath, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("influxd log: %w", err)
	}
	cmd := exec.Command(bin, "-config", configPath)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = ownGroup()
	c := &child{logPath: logPath, done: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		yieldToOthers()
		defer close(c.done)
		defer out.Close()
		err := cmd.Start()
		c.proc = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // its exit code tells nothing: a killed server is wanted here as often as a stopped one
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start influxd: %w", err)
	}
	return c, nil
}

func (c *child) ended() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// end signals the process and waits until it is gone.
func (c *child) end(how os.Signal) error {
	if err := c.proc.Signal(how); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop influxd: %w", err)
	}
	select {
	case <-c.done:
		return nil
	case <-time.After(stopGrace):
	}
	if err := c.proc.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill influxd: %w", err)
	}
	<-c.done
	return nil
}

// ready polls until the server answers under the name nonce, then makes the database.
func (c *child) ready(ctx context.Context, base, nonce string) error {
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 5 * time.Second}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for {
		err := createDatabase(ctx, client, base, nonce)
		if err == nil {
			return nil
		}
		select {
		case <-poll.C:
		case <-c.done:
			return fmt.Errorf("%w: %s", errEnded, c.logTail())
		case <-ctx.Done():
			return fmt.Errorf("influxd is not ready (%w): %w", err, ctx.Err())
		}
	}
}

// createDatabase is also the readiness check: a server that can do this can be written. The server says in a header that it
// is the one just started: its port is bound two seconds after it was found free, and somebody else may sit there by then.
func createDatabase(ctx context.Context, client *http.Client, base, nonce string) error {
	u := base + "/query?q=" + url.QueryEscape(`CREATE DATABASE "`+Database+`"`)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u, nil)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	switch {
	case err != nil:
		return fmt.Errorf("create database: %w", err)
	case resp.Header.Get(nonceHeader) != nonce:
		return errors.New("create database: another server has the port")
	case resp.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"error"`)):
		return fmt.Errorf("create database: %s: %s", resp.Status, body)
	}
	return nil
}

// logTail gives the last kilobyte of the log.
func (c *child) logTail() string {
	const most = 1024
	text, err := os.ReadFile(c.logPath)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-most):]))
}

// FreeAddr finds a free port on loopback, below the range the kernel takes for outgoing connections. It is free, not
// reserved: whoever takes it first makes the start fail.
func FreeAddr() (string, error) {
	const lowest, highest, attempts = 20000, 32000, 100
	var err error
	for range attempts {
		var l net.Listener
		l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
	}
	return "", fmt.Errorf("find a free port: %w", err)
}
