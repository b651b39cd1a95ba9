package certs

import (
	"crypto/x509"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestInitMakesWhatAHubServes(t *testing.T) {
	f := newFolder(t, "localhost", "192.0.2.7")
	for _, file := range []string{AuthorityCert, AuthorityKey, ServerCert, ServerKey} {
		if info, err := os.Stat(f.path(file)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v: want a file of its owner alone", file, info, err)
		}
	}
	if entries, err := os.ReadDir(f.dir); err != nil || len(entries) != 4 {
		t.Errorf("%d files, %v: want nothing left over", len(entries), err)
	}
	s := f.store()
	for _, host := range []string{"hub.test", "localhost", "192.0.2.7"} {
		client := f.client("")
		client.ServerName = host
		if _, _, err := greet(t, s.Web(), client); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	other := f.client("")
	other.ServerName = "elsewhere.test"
	if _, _, err := greet(t, s.Web(), other); err == nil {
		t.Error("a host that the certificate does not name was taken")
	}
	if left := time.Until(s.NotAfter()); left < (serverDays-2)*24*time.Hour || left > serverDays*24*time.Hour {
		t.Errorf("valid for %v", left)
	}
}

func TestNothingIsReplacedUnasked(t *testing.T) {
	f := newFolder(t)
	before := f.pair(AuthorityCert, AuthorityKey).Leaf
	if err := Init(f.dir, []string{"x"}, false); !errors.Is(err, ErrExists) || !strings.Contains(err.Error(), AuthorityCert) {
		t.Errorf("second init: %v", err)
	}
	f.device("btn-1")
	if _, err := Device(f.dir, "btn-1", 30, false); !errors.Is(err, ErrExists) {
		t.Errorf("second certificate of a device: %v", err)
	}
	if !f.pair(AuthorityCert, AuthorityKey).Leaf.Equal(before) {
		t.Fatal("the authority was replaced")
	}
	f.must(Init(f.dir, []string{"x"}, true))
	if f.pair(AuthorityCert, AuthorityKey).Leaf.Equal(before) {
		t.Error("with force the authority was kept")
	}
}

func TestRenewKeepsAuthorityAndHosts(t *testing.T) {
	f := newFolder(t, "192.0.2.7")
	client, before := f.client(""), f.pair(ServerCert, ServerKey).Leaf
	f.must(Renew(f.dir, nil))
	after := f.pair(ServerCert, ServerKey).Leaf
	if after.Equal(before) || !slices.Equal(after.DNSNames, before.DNSNames) || len(after.IPAddresses) != 1 {
		t.Errorf("renewed: %v %v", after.DNSNames, after.IPAddresses)
	}
	if _, _, err := greet(t, f.store().Web(), client); err != nil {
		t.Errorf("a client of before: %v", err)
	}
	f.must(Renew(f.dir, []string{"new.test"}))
	if got := f.pair(ServerCert, ServerKey).Leaf.DNSNames; !slices.Equal(got, []string{"new.test"}) {
		t.Errorf("hosts %v", got)
	}
}

func TestWhatCannotBeIssued(t *testing.T) {
	f := newFolder(t)
	for _, id := range []string{"", "a b", "../x", "-x", strings.Repeat("x", 65)} {
		if _, err := Device(f.dir, id, 30, false); err == nil || !strings.Contains(err.Error(), "want letters") {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := Device(f.dir, "btn-1", 365*authorityYears+365, false); err == nil || !strings.Contains(err.Error(), "outlive") {
		t.Errorf("too long: %v", err)
	}
	if _, err := Device(t.TempDir(), "btn-1", 30, false); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without an authority: %v", err)
	}
	if err := Init(t.TempDir(), []string{""}, false); err == nil || !strings.Contains(err.Error(), "want a name") {
		t.Errorf("an empty host: %v", err)
	}
}

func TestADevicesCertificateNamesItAndIsNoServers(t *testing.T) {
	f := newFolder(t)
	fingerprint := f.device("btn-1")
	leaf := f.pair("device-btn-1.crt", "device-btn-1.key").Leaf
	if got := Names(leaf); !slices.Equal(got, []string{"btn-1"}) {
		t.Errorf("names %v", got)
	}
	if fingerprint != Fingerprint(leaf) || len(fingerprint) != 64 {
		t.Errorf("fingerprint %q", fingerprint)
	}
	roots := x509.NewCertPool()
	roots.AddCert(f.pair(AuthorityCert, AuthorityKey).Leaf)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots}); err == nil {
		t.Error("it could serve the hub's page")
	}
}
