package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"watchhouse/registry"
)

type userCmd struct {
	Add   userAddCmd   `cmd:"" help:"Add or replace a user."`
	Token userTokenCmd `cmd:"" help:"Make a bearer token for a program and print it once."`
}

type userAddCmd struct {
	dataFlags
	Name          string `required:"" help:"Name to sign in with."`
	Role          string `required:"" enum:"admin,supervisor,operator,guard,maintainer,viewer" help:"${enum}."`
	House         string `help:"A guard's safety house (device id)."`
	PasswordStdin bool   `required:"" help:"Read the password from the first line of standard input."`
}

func (c *userAddCmd) Run(ctx context.Context, std streams) error {
	password, err := readPassword(std.in)
	if err != nil {
		return err
	}
	user := registry.User{Name: c.Name, Role: registry.Role(c.Role), House: c.House}
	return c.withRegistry(ctx, func(r *registry.Registry) error {
		if err := r.PutUser(ctx, actor, user, password); err != nil {
			return badConfigError{err}
		}
		fmt.Fprintf(std.err, "user %s may sign in as %s\n", c.Name, c.Role)
		return nil
	})
}

// readPassword reads the first line.
func readPassword(in io.Reader) (string, error) {
	password, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	if password = strings.TrimRight(password, "\r\n"); password == "" {
		return "", badConfigError{errors.New("--password-stdin: want the password in the first line of standard input, got nothing")}
	}
	return password, nil
}
