package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"
)

// Config of a console.
type Config struct {
	URL      string `help:"Address of the hub's page, e.g. http://127.0.0.1:8080." default:"http://127.0.0.1:8080"`
	User     string `help:"User name." default:"admin"`
	Password string `help:"Password." env:"WATCHHOUSE_ADMIN_PASSWORD"`
}

// ErrRefused is a refused sign-in.
var ErrRefused = errors.New("stream: sign-in refused")

// Client is one console. It keeps its place in the stream over reconnects.
type Client struct {
	cfg   Config
	base  *url.URL
	http  *http.Client
	epoch string
	seq   uint64
}

// New makes a console; it connects in Run.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.URL)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("stream: url: want http://HOST:PORT, have %q", cfg.URL)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("stream: %w", err)
	}
	return &Client{cfg: cfg, base: base, http: &http.Client{Jar: jar, Timeout: 15 * time.Second}}, nil
}

// Run signs in and follows the stream until ctx ends (then it returns nil), the sign-in is refused or a number is wrong.
func (c *Client) Run(ctx context.Context, h Handler) error {
	defer c.http.CloseIdleConnections()
	signedIn := false
	for {
		err := c.once(ctx, h, &signedIn)
		if ctx.Err() != nil {
			return nil
		}
		if sequence := (*SequenceError)(nil); errors.Is(err, ErrRefused) || errors.As(err, &sequence) {
			return err
		}
		if h.Retry != nil {
			h.Retry(err)
		}
		timer := time.NewTimer(100*time.Millisecond + rand.N(400*time.Millisecond))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// once signs in when needed and follows one connection.
func (c *Client) once(ctx context.Context, h Handler, signedIn *bool) error {
	if !*signedIn {
		if err := c.login(ctx); err != nil {
			return err
		}
		*signedIn = true
	}
	err := c.follow(ctx, h)
	if errors.Is(err, errSessionOver) {
		*signedIn = false
	}
	return err
}

func (c *Client) login(ctx context.Context) error {
	body := map[string]string{"user": c.cfg.User, "password": c.cfg.Password}
	return c.Call(ctx, http.MethodPost, "/login", body, nil)
}

// Call does one REST request below /api/v1 with this console's session; in and out may be nil. It works after Run has signed in.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) error {
	payload, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath("/api/v1").String()+path, bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	switch {
	case err != nil:
		return fmt.Errorf("%s %s: %w", method, path, err)
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		return fmt.Errorf("%s %s: %w", method, path, ErrRefused)
	case resp.StatusCode >= 300:
		return fmt.Errorf("%s %s: %s", method, path, resp.Status)
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// snapshot reads the state that the stream goes on after.
func (c *Client) snapshot(ctx context.Context) (Snapshot, error) {
	var body struct {
		AsOf struct {
			Epoch string `json:"epoch"`
			Seq   uint64 `json:"seq"`
		} `json:"as_of"`
		Incidents []Incident        `json:"incidents"`
		Devices   []json.RawMessage `json:"devices"`
	}
	if err := c.Call(ctx, http.MethodGet, "/snapshot", nil, &body); err != nil {
		return Snapshot{}, err
	}
	return Snapshot{Epoch: body.AsOf.Epoch, Seq: body.AsOf.Seq, Incidents: body.Incidents, Devices: len(body.Devices)}, nil
}

// streamURL is the WebSocket's address.
func (c *Client) streamURL() string {
	return "ws" + strings.TrimPrefix(c.base.JoinPath("/api/v1/stream").String(), "http")
}
