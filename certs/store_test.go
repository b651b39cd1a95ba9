package certs

import (
	"context"
	"crypto/tls"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestConfigNamesTheFaultyKey(t *testing.T) {
	good := Config{CertFile: "c", KeyFile: "k", ClientCAFile: "a", ClientAuth: ClientAuthRequired, RevokedFile: "r"}
	for _, c := range []Config{good, DefaultConfig()} {
		if err := c.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		want  string
		spoil func(*Config)
	}{
		{"key_file: set it too", func(c *Config) { c.KeyFile = "" }},
		{"cert_file: set it too", func(c *Config) { c.CertFile = "" }},
		{"client_ca_file: needs cert_file", func(c *Config) { c.CertFile, c.KeyFile = "", "" }},
		{"client_auth: must be", func(c *Config) { c.ClientAuth = "maybe" }},
		{"client_auth: required needs", func(c *Config) { c.ClientCAFile = "" }},
		{"revoked_file: needs client_ca_file", func(c *Config) { c.ClientCAFile = "" }},
	}
	for _, c := range cases {
		cfg := good
		c.spoil(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q in it", err, c.want)
		}
	}
}

// Each is refused as a whole, with its setting and its file.
func TestWhatIsNotServed(t *testing.T) {
	f, other := newFolder(t), newFolder(t)
	f.device("btn-1")
	join := func(name string, files ...string) string {
		var all []byte
		for _, file := range files {
			text, err := os.ReadFile(file)
			f.must(err)
			all = append(all, text...)
		}
		f.must(os.WriteFile(f.path(name), all, 0o600))
		return f.path(name)
	}
	badList := f.path("list")
	f.must(os.WriteFile(badList, []byte("# lost\n"+strings.Repeat("ab:", 31)+"ab\nxyz\n"), 0o600))
	cases := []struct {
		name, want string
		spoil      func(*Config)
	}{
		{"no file", "tls.cert_file", func(c *Config) { c.CertFile = f.path("none") }},
		{"another's key", "private key does not match", func(c *Config) { c.KeyFile = other.path(ServerKey) }},
		{"a chain that breaks", "not signed by the next", func(c *Config) { c.CertFile = join("chain", f.path(ServerCert), other.path(AuthorityCert)) }},
		{"a device's certificate", "not for a server", func(c *Config) { c.CertFile, c.KeyFile = f.path("device-btn-1.crt"), f.path("device-btn-1.key") }},
		{"an authority that is none", "no authority's", func(c *Config) { c.ClientCAFile = f.path(ServerCert) }},
		{"an authority's key", "tls.client_ca_file", func(c *Config) { c.ClientCAFile = f.path(AuthorityKey) }},
		{"an empty authority", "found none", func(c *Config) { c.ClientCAFile = f.path("revoked.txt") }},
		{"no fingerprint", "list:3: want a SHA-256", func(c *Config) { c.RevokedFile = badList }},
	}
	for _, c := range cases {
		cfg := f.config()
		c.spoil(&cfg)
		if _, err := Open(cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
	whole := f.config()
	whole.CertFile = join("whole", f.path(ServerCert), f.path(AuthorityCert))
	if _, err := Open(whole); err != nil {
		t.Errorf("a chain up to the authority: %v", err)
	}
}

func TestVersionsAndKeys(t *testing.T) {
	f := newFolder(t)
	s := f.store()
	for _, server := range []*tls.Config{s.MQTT(), s.Web()} {
		old := f.client("")
		old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		if _, _, err := greet(t, server, old); err == nil || !strings.Contains(err.Error(), "protocol version") && !strings.Contains(err.Error(), "unsupported versions") {
			t.Errorf("TLS 1.1: %v, want a refusal of the version", err)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			client := f.client("")
			client.MaxVersion = version
			if got, _, err := greet(t, server, client); err != nil || got.Version != version {
				t.Errorf("%s: %v, %s", tls.VersionName(version), err, tls.VersionName(got.Version))
			}
		}
	}
	client := f.client("")
	client.NextProtos = []string{"x-amzn-mqtt-ca"}
	if _, _, err := greet(t, s.MQTT(), client); err != nil {
		t.Errorf("a protocol name of another broker's: %v", err)
	}
}

func TestMutualTLS(t *testing.T) {
	f, other := newFolder(t), newFolder(t)
	f.device("btn-1")
	other.device("btn-1")
	stranger := f.client("")
	stranger.Certificates = []tls.Certificate{other.pair("device-btn-1.crt", "device-btn-1.key")}
	asServer := f.client("")
	asServer.Certificates = []tls.Certificate{f.pair(ServerCert, ServerKey)}
	cases := []struct {
		name   string
		auth   string
		client *tls.Config
		taken  bool
		shown  bool
	}{
		{"off, none", ClientAuthOff, f.client(""), true, false},
		{"off, shown", ClientAuthOff, f.client("btn-1"), true, false},
		{"optional, none", ClientAuthOptional, f.client(""), true, false},
		{"optional, shown", ClientAuthOptional, f.client("btn-1"), true, true},
		{"required, none", ClientAuthRequired, f.client(""), false, false},
		{"required, shown", ClientAuthRequired, f.client("btn-1"), true, true},
		{"another authority's", ClientAuthOptional, forced(stranger), false, false},
		{"the hub's own", ClientAuthOptional, forced(asServer), false, false},
	}
	for _, c := range cases {
		cfg := f.config()
		cfg.ClientAuth = c.auth
		s, err := Open(cfg)
		f.must(err)
		got, _, err := greet(t, s.MQTT(), c.client)
		if (err == nil) != c.taken || (len(got.VerifiedChains) > 0) != c.shown {
			t.Errorf("%s: %v, verified %v", c.name, err, len(got.VerifiedChains) > 0)
		}
		if got, _, err := greet(t, s.Web(), c.client); err != nil || len(got.PeerCertificates) > 0 {
			t.Errorf("%s: a browser: %v, asked for its certificate %v", c.name, err, len(got.PeerCertificates) > 0)
		}
	}
}

// forced shows the certificate whatever the server says it wants.
func forced(c *tls.Config) *tls.Config {
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.Certificates[0], nil }
	return c
}

func TestAReloadCountsForTheNextHandshake(t *testing.T) {
	f := newFolder(t)
	s := f.store()
	listeners := map[string]*tls.Config{"mqtt": s.MQTT(), "web": s.Web()}
	before := f.pair(ServerCert, ServerKey).Leaf
	if s.Changed() {
		t.Error("changed before anything was")
	}
	f.must(Renew(f.dir, nil))
	if !s.Changed() {
		t.Fatal("the change was not seen")
	}
	f.must(s.Reload())
	after := f.pair(ServerCert, ServerKey).Leaf
	serves := func(what string, renewed bool) {
		t.Helper()
		for name, server := range listeners {
			_, got, err := greet(t, server, f.client(""))
			if err != nil || got.PeerCertificates[0].Equal(after) != renewed || got.PeerCertificates[0].Equal(before) == renewed {
				t.Errorf("%s, %s: %v", what, name, err)
			}
		}
	}
	serves("renewed", true)
	f.must(os.WriteFile(f.path(ServerKey), []byte("half a ke"), 0o600))
	if !s.Changed() {
		t.Error("the broken file was not seen")
	}
	if err := s.Reload(); err == nil || s.Fault() == nil || s.Failed() != 1 {
		t.Errorf("a broken pair: %v, fault %v, failed %d", err, s.Fault(), s.Failed())
	}
	serves("broken", true)
	if s.Changed() {
		t.Error("the broken file would be tried again and again")
	}
	f.must(Renew(f.dir, nil))
	f.must(s.Reload())
	if s.Fault() != nil {
		t.Errorf("mended: %v", s.Fault())
	}
}

// A ticket is as good as the certificate behind it.
func TestResumption(t *testing.T) {
	f := newFolder(t)
	fingerprint := f.device("btn-1")
	s := f.store()
	server, client := s.MQTT(), f.client("btn-1")
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	resumed := func(want bool) {
		t.Helper()
		got, _, err := greet(t, server, client)
		if err != nil || got.DidResume != want || len(got.VerifiedChains) == 0 {
			t.Errorf("resumed %v, want %v: %v", got.DidResume, want, err)
		}
	}
	resumed(false)
	resumed(true)
	f.must(Renew(f.dir, nil))
	f.must(s.Reload())
	resumed(true)
	state, _, err := greet(t, server, client)
	f.must(err)
	f.must(os.WriteFile(f.path("revoked.txt"), []byte(fingerprint+" # lost in the yard\n"), 0o600))
	if !s.Admits(state) {
		t.Error("revoked before the reload")
	}
	f.must(s.Reload())
	if s.Admits(state) {
		t.Error("a connection of the revoked certificate would stay")
	}
	if _, _, err := greet(t, server, client); err == nil {
		t.Error("the revoked certificate was resumed")
	}
}

func TestResumptionEndsWithTheAuthority(t *testing.T) {
	f, other := newFolder(t), newFolder(t)
	f.device("btn-1")
	s := f.store()
	server, client := s.MQTT(), f.client("btn-1")
	client.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	for range 2 {
		if _, _, err := greet(t, server, client); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(other.path(AuthorityCert))
	f.must(err)
	f.must(os.WriteFile(f.path(AuthorityCert), text, 0o600))
	f.must(s.Reload())
	if got, _, err := greet(t, server, client); err == nil && len(got.VerifiedChains) > 0 {
		t.Errorf("the certificate of an authority that is gone was taken, resumed %v", got.DidResume)
	}
}

func TestWatch(t *testing.T) {
	f := newFolder(t)
	synctest.Test(t, func(t *testing.T) {
		s := f.store()
		ctx, cancel := context.WithCancel(t.Context())
		var reloads atomic.Int64
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			s.Watch(ctx, time.Minute, func() { reloads.Add(1); _ = s.Reload() })
		}()
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := reloads.Load(); n != 0 {
			t.Errorf("%d reloads of unchanged files", n)
		}
		if err := Renew(f.dir, nil); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if n := reloads.Load(); n != 1 {
			t.Errorf("%d reloads of one change", n)
		}
		cancel()
		<-ended
	})
}

func TestWarnings(t *testing.T) {
	f := newFolder(t)
	s := f.store()
	for days, want := range map[int]string{
		0: "", serverDays - 31: "", serverDays - 20: "tls.cert_file: the certificate CN=hub.test expires on ", serverDays: "expired on",
		365*authorityYears - 10: "tls.client_ca_file: the certificate CN=Watchhouse CA",
	} {
		got := strings.Join(s.Warnings(time.Now().AddDate(0, 0, days)), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("after %d days: %q, want %q", days, got, want)
		}
	}
	f.must(os.Chmod(f.path(ServerKey), 0o644))
	if got := s.Warnings(time.Now()); len(got) != 1 || !strings.Contains(got[0], "can be read by others") {
		t.Errorf("a key for everybody: %q", got)
	}
}
