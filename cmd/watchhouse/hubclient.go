package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// hubFlags name a running hub and who asks.
type hubFlags struct {
	URL       string        `required:"" help:"Address of the running hub, e.g. http://127.0.0.1:8080." env:"WATCHHOUSE_URL" placeholder:"URL"`
	TokenFile string        `required:"" help:"File with a token that watchhouse user token printed." env:"WATCHHOUSE_TOKEN_FILE" placeholder:"FILE"`
	Timeout   time.Duration `help:"Longest wait for one answer." default:"1m"`
}

// hubClient speaks to a hub's REST interface.
type hubClient struct {
	base, token string
	http        *http.Client
}

func (f hubFlags) client() (*hubClient, error) {
	if u, err := url.Parse(f.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, badConfigError{fmt.Errorf("--url: want http://HOST:PORT or https://HOST:PORT, have %q", f.URL)}
	}
	text, err := os.ReadFile(f.TokenFile)
	if err != nil {
		return nil, badConfigError{fmt.Errorf("--token-file: %w", err)}
	}
	return &hubClient{
		base: strings.TrimSuffix(f.URL, "/") + "/api/v1", token: strings.TrimSpace(string(text)), http: &http.Client{Timeout: f.Timeout},
	}, nil
}

// call sends a request without a body and decodes the answer into out. A problem that the hub answers is the error.
func (c *hubClient) call(ctx context.Context, method, path string, out any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("ask the hub: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("read the hub's answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return problemOf(response, body)
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%s is no hub: its answer is not understood", c.base)
	}
	return nil
}

// problemOf is the text of a problem (RFC 9457).
func problemOf(response *http.Response, body []byte) error {
	var problem struct{ Detail, Code string }
	if json.Unmarshal(body, &problem) != nil || problem.Detail == "" {
		return errors.New("the hub answers " + response.Status)
	}
	return fmt.Errorf("the hub answers %d %s: %s", response.StatusCode, problem.Code, problem.Detail)
}
