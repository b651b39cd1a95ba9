package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"watchhouse/certs"
)

type tlsCmd struct {
	Init   tlsInitCmd   `cmd:"" help:"Make an authority of your own and the hub's certificate."`
	Renew  tlsRenewCmd  `cmd:"" help:"Make a new certificate for the hub with the authority; a running hub takes it within a minute."`
	Device tlsDeviceCmd `cmd:"" help:"Make a device's certificate: with it the device needs no password."`
}

type tlsFolder struct {
	Dir string `help:"Folder of the authority and its certificates." required:"" placeholder:"DIR"`
}

type tlsInitCmd struct {
	tlsFolder
	Host  []string `help:"Name or IP address under which the hub is reached; may be repeated. This machine's name and localhost are added." placeholder:"HOST"`
	Force bool     `help:"Replace an authority that exists: every device and browser must then be given the new one."`
}

func (c *tlsInitCmd) Run(std streams) error {
	if err := certs.Init(c.Dir, withOwnNames(c.Host), c.Force); err != nil {
		return advised(err)
	}
	_, err := fmt.Fprintf(std.out, `made in %s:
  %s, %s   the hub's certificate, in the configuration:

    tls:
      cert_file: %s
      key_file: %s

  %s       what devices and browsers must trust; as tls.client_ca_file it lets devices sign in with certificates
  %s       signs further certificates: keep it in a safe place, the hub does not need it
`, c.Dir, certs.ServerCert, certs.ServerKey, c.path(certs.ServerCert), c.path(certs.ServerKey), certs.AuthorityCert, certs.AuthorityKey)
	return err
}

func (f tlsFolder) path(name string) string {
	path := filepath.Join(f.Dir, name)
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}

// withOwnNames adds the names that this machine has for itself.
func withOwnNames(hosts []string) []string {
	hosts = append(hosts, "localhost", "127.0.0.1", "::1")
	if name, err := os.Hostname(); err == nil && name != "" {
		hosts = append(hosts, name)
	}
	return hosts
}

type tlsRenewCmd struct {
	tlsFolder
	Host []string `help:"Name or IP address; may be repeated. Without any those of the certificate of before." placeholder:"HOST"`
}

func (c *tlsRenewCmd) Run(std streams) error {
	if err := certs.Renew(c.Dir, c.Host); err != nil {
		return advised(err)
	}
	_, err := fmt.Fprintf(std.out, "renewed %s\n", c.path(certs.ServerCert))
	return err
}

type tlsDeviceCmd struct {
	tlsFolder
	ID    string `help:"Device id, as in the registry." required:"" name:"id" placeholder:"ID"`
	Days  int    `help:"How long it is valid." default:"3650"`
	Force bool   `help:"Replace a certificate that exists; the one of before stays valid until it is revoked."`
}

func (c *tlsDeviceCmd) Run(std streams) error {
	fingerprint, err := certs.Device(c.Dir, c.ID, c.Days, c.Force)
	if err != nil {
		return advised(err)
	}
	_, err = fmt.Fprintf(std.out, "made %s and its key; fingerprint %s\n", c.path("device-"+c.ID+".crt"), fingerprint)
	return err
}

// advised marks what the user can mend.
func advised(err error) error {
	switch {
	case errors.Is(err, certs.ErrExists):
		return badConfigError{fmt.Errorf("%w: --force replaces it", err)}
	case errors.Is(err, os.ErrNotExist):
		return badConfigError{fmt.Errorf("%w: watchhouse tls init makes an authority", err)}
	default:
		return badConfigError{err}
	}
}
