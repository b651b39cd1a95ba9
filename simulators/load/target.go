package load

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"watchhouse/simulators/packet"
	"watchhouse/telemetry"
)

// Account is what one simulated device signs in with.
type Account struct {
	ID, Secret string
	Kind       telemetry.Kind
}

// Target is a broker under load. Without accounts, clients make up ids and sign in without credentials.
type Target struct {
	Name, Addr string
	Accounts   []Account
	Sources    int // local addresses 127.0.0.2… to connect from (loopback only); 0 or 1 = the system's choice
	PID        int // process to read CPU and memory of, 0 = unknown
}

// Progress is called about once a second with what is going on.
type Progress func(stage string, done, of int)

func (p Progress) report(stage string, done, of int) {
	if p != nil {
		p(stage, done, of)
	}
}

const (
	connectTimeout = 20 * time.Second
	maxBody        = 256 << 10
)

// RefusedError is a CONNACK with a code other than 0.
type RefusedError struct {
	ID   string
	Code byte
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("load: %s refused with code %d", e.ID, e.Code)
}

// account gives the i-th account.
func (t Target) account(i int) Account {
	if i < len(t.Accounts) {
		return t.Accounts[i]
	}
	return Account{ID: fmt.Sprintf("load-%05d", i)}
}

// enough says whether n clients can sign in.
func (t Target) enough(n int) error {
	if len(t.Accounts) > 0 && len(t.Accounts) < n {
		return fmt.Errorf("load: %s has %d accounts, %d clients need one each", t.Name, len(t.Accounts), n)
	}
	return nil
}

// dialer connects clients to a target.
type dialer struct {
	target Target
	buffer int // read buffer bytes a connection
	next   atomic.Uint32
}

// client is one signed-in connection.
type client struct {
	net.Conn
	in *packet.Reader
	id string
}

// connect signs account i in. The returned client is the caller's to close.
func (d *dialer) connect(ctx context.Context, i int, keepAlive uint16, will *packet.Publish) (*client, error) {
	a := d.target.account(i)
	nd := net.Dialer{Timeout: connectTimeout, LocalAddr: d.source()}
	conn, err := nd.DialContext(ctx, "tcp", d.target.Addr)
	if err != nil {
		return nil, fmt.Errorf("load: connect %s: %w", a.ID, err)
	}
	c := &client{Conn: conn, in: packet.NewReader(conn, d.buffer, maxBody), id: a.ID}
	if err := c.signIn(a, keepAlive, will); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) signIn(a Account, keepAlive uint16, will *packet.Publish) error {
	hello := packet.Connect{ClientID: a.ID, KeepAlive: keepAlive, CleanSession: true, Will: will}
	if a.Secret != "" {
		hello.Username, hello.Password = a.ID, []byte(a.Secret)
	}
	if err := c.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return fmt.Errorf("load: sign in %s: %w", a.ID, err)
	}
	if _, err := c.Write(hello.Append(nil)); err != nil {
		return fmt.Errorf("load: sign in %s: %w", a.ID, err)
	}
	answer, err := c.in.Next()
	if err != nil {
		return fmt.Errorf("load: sign in %s: %w", a.ID, err)
	}
	if code, err := answer.Connack(); err != nil {
		return fmt.Errorf("load: sign in %s: %w", a.ID, err)
	} else if code != 0 {
		return &RefusedError{ID: a.ID, Code: code}
	}
	return c.SetDeadline(time.Time{})
}

// source deals out 127.0.0.2, 127.0.0.3…: each has its own 28,000 ports.
func (d *dialer) source() net.Addr {
	if d.target.Sources < 2 {
		return nil
	}
	n := d.next.Add(1) % uint32(min(d.target.Sources, 250))
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+n))}
}

// ReadAccounts reads a registry CSV with the columns id, kind and secret (others are ignored).
func ReadAccounts(r io.Reader) ([]Account, error) {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("read accounts: header: %w", err)
	}
	id, kind, secret := slices.Index(head, "id"), slices.Index(head, "kind"), slices.Index(head, "secret")
	if id < 0 || kind < 0 || secret < 0 {
		return nil, errors.New("read accounts: want the columns id, kind and secret")
	}
	var out []Account
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("read accounts: %w", err)
		}
		out = append(out, Account{ID: row[id], Secret: row[secret], Kind: telemetry.Kind(row[kind])})
	}
}
