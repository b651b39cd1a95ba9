package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// hubFlags name a running hub and who asks.
type hubFlags struct {
	URL       string        `required:"" help:"Address of the running hub, e.g. http://127.0.0.1:8080." env:"WATCHHOUSE_URL" placeholder:"URL"`
	TokenFile string        `required:"" help:"File with a token that watchhouse user token printed." env:"WATCHHOUSE_TOKEN_FILE" placeholder:"FILE"`
	CAFile    string        `name:"ca-file" help:"Authority of the hub's certificate (ca.crt of watchhouse tls init); else those of the system." env:"WATCHHOUSE_CA_FILE" placeholder:"FILE"`
	Timeout   time.Duration `help:"Longest wait for one answer." default:"1m"`
	Insecure  bool          `help:"Speak plain http to another machine, token and secrets included."`
}

// hubClient speaks to a hub's REST interface.
type hubClient struct {
	base  string
	token string // "" = by the cookie of a sign-in
	http  *http.Client
}

// client signs in with the token of the file.
func (f hubFlags) client() (*hubClient, error) {
	c, err := f.connect()
	if err != nil {
		return nil, err
	}
	if f.TokenFile == "" {
		return nil, badConfigError{errors.New("--token-file: want a file with a token that watchhouse user token printed")}
	}
	text, err := os.ReadFile(f.TokenFile)
	if err != nil {
		return nil, badConfigError{fmt.Errorf("--token-file: %w", err)}
	}
	c.token = strings.TrimSpace(string(text))
	return c, nil
}

// signIn signs in with a user's password, for as long as the client lives.
func (f hubFlags) signIn(ctx context.Context, user, password string) (*hubClient, error) {
	c, err := f.connect()
	if err != nil {
		return nil, err
	}
	if c.http.Jar, err = cookiejar.New(nil); err != nil {
		return nil, err
	}
	body, err := jsonBody(map[string]string{"user": user, "password": password})
	if err != nil {
		return nil, err
	}
	_, err = c.fetch(ctx, http.MethodPost, "/login", body)
	return c, err
}

// connect makes a client that has not signed in; nothing is asked yet.
func (f hubFlags) connect() (*hubClient, error) {
	if u, err := url.Parse(f.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, badConfigError{fmt.Errorf("--url: want http://HOST:PORT or https://HOST:PORT, have %q", f.URL)}
	}
	if !f.Insecure && !encrypted(f.URL) {
		return nil, badConfigError{fmt.Errorf("--url: token and secrets would travel to %s unencrypted: use https, or --insecure", f.URL)}
	}
	transport, err := f.transport()
	if err != nil {
		return nil, err
	}
	return &hubClient{
		base: strings.TrimSuffix(f.URL, "/") + "/api/v1", http: &http.Client{Timeout: f.Timeout, Transport: transport},
	}, nil
}

// encrypted reports whether nobody between can read what is sent: by TLS, or because it stays on this machine.
func encrypted(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "https" {
		return err == nil
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// transport trusts the authority of --ca-file alone, or those of the system.
func (f hubFlags) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if f.CAFile != "" {
		text, err := os.ReadFile(f.CAFile)
		if err != nil {
			return nil, badConfigError{fmt.Errorf("--ca-file: %w", err)}
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, badConfigError{fmt.Errorf("--ca-file: %s holds no certificate", f.CAFile)}
		}
	}
	return &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true}, nil
}

// call sends a request without a body and decodes the answer into out. A problem that the hub answers is the error.
func (c *hubClient) call(ctx context.Context, method, path string, out any) error {
	return c.send(ctx, method, path, hubBody{}, out)
}

// hubBody is what goes with a request.
type hubBody struct {
	kind string // media type, "" = no body
	text []byte
}

func jsonBody(v any) (hubBody, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return hubBody{}, fmt.Errorf("encode the request: %w", err)
	}
	return hubBody{"application/json", text}, nil
}

// send sends a request and decodes the answer into out.
func (c *hubClient) send(ctx context.Context, method, path string, body hubBody, out any) error {
	answer, err := c.fetch(ctx, method, path, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("%s is no hub: its answer is not understood", c.base)
	}
	return nil
}

// fetch sends a request and gives the answer as it is. A problem that the hub answers is a *hubProblemError.
func (c *hubClient) fetch(ctx context.Context, method, path string, body hubBody) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body.text))
	if err != nil {
		return nil, err
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	if body.kind != "" {
		request.Header.Set("Content-Type", body.kind)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask the hub: %w", err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("read the hub's answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, problemOf(response, answer)
	}
	return answer, nil
}

// hubProblemError is a problem (RFC 9457) that a hub answered.
type hubProblemError struct {
	Status       int
	Code, Detail string
	Errors       []hubFault
}

// hubFault is a faulty field, or a fault of a file.
type hubFault struct {
	Location, Message, Column string
	Row                       int
}

func (p *hubProblemError) Error() string {
	return fmt.Sprintf("the hub answers %d %s: %s%s", p.Status, p.Code, p.Detail, p.faults())
}

// faults lists what was wrong, one a line.
func (p *hubProblemError) faults() string {
	var b strings.Builder
	for _, f := range p.Errors {
		where := strings.TrimPrefix(f.Location, "body.")
		if f.Row > 0 {
			where = "row " + strconv.Itoa(f.Row)
			if f.Column != "" {
				where += ", column " + f.Column
			}
		}
		fmt.Fprintf(&b, "\n%s: %s", where, f.Message)
	}
	return b.String()
}

func problemOf(response *http.Response, body []byte) error {
	p := &hubProblemError{}
	if json.Unmarshal(body, p) != nil || p.Detail == "" {
		return errors.New("the hub answers " + response.Status)
	}
	p.Status = response.StatusCode
	return p
}
