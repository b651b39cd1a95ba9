package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"watchhouse/dashboard"
	"watchhouse/registry"
)

type userTokenCmd struct {
	registryFlags
	Name          string `required:"" help:"User whose rights the token carries."`
	Label         string `help:"What the token is for." default:"program"`
	PasswordStdin bool   `help:"With --url: sign in as this user, with the password in the first line of standard input, in place of --token-file."`
}

func (c *userTokenCmd) Run(ctx context.Context, std streams) error {
	token, err := c.make(ctx, std)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return badConfigError{fmt.Errorf("there is no user %q: watchhouse user add makes one", c.Name)}
	case errors.Is(err, registry.ErrExists):
		return badConfigError{fmt.Errorf("user %s has a token with the label %q already: choose another --label", c.Name, c.Label)}
	case err != nil:
		return err
	}
	if _, err := fmt.Fprintln(std.out, token); err != nil {
		return fmt.Errorf("print token: %w", err)
	}
	return nil
}

func (c *userTokenCmd) make(ctx context.Context, std streams) (token string, err error) {
	if c.URL != "" || c.TokenFile != "" || c.CAFile != "" || c.PasswordStdin {
		return c.askHub(ctx, std)
	}
	if err := c.mustExist(); err != nil {
		return "", err
	}
	err = c.withRegistry(ctx, func(r *registry.Registry) error {
		if token, err = r.NewToken(ctx, actor, c.Name, c.Label); err != nil {
			return badConfigError{err}
		}
		return nil
	})
	return token, err
}

// askHub has a running hub make the token.
func (c *userTokenCmd) askHub(ctx context.Context, std streams) (string, error) {
	client, err := c.client(ctx, std)
	if err != nil {
		return "", err
	}
	var answer dashboard.NewToken
	err = client.call(ctx, http.MethodPost, "/users/"+url.PathEscape(c.Name)+"/tokens/"+url.PathEscape(c.Label), &answer)
	if problem, ok := errors.AsType[*hubProblemError](err); ok {
		switch problem.Status {
		case http.StatusNotFound:
			return "", registry.ErrNotFound
		case http.StatusConflict:
			return "", registry.ErrExists
		}
	}
	if err != nil {
		return "", refused(err)
	}
	return answer.Token, nil
}

// client signs in with the token of a file, or with the user's password.
func (c *userTokenCmd) client(ctx context.Context, std streams) (*hubClient, error) {
	flags, err := c.hub()
	if err != nil {
		return nil, err
	}
	if !c.PasswordStdin {
		return flags.client()
	}
	if c.TokenFile != "" {
		return nil, badConfigError{errors.New("--password-stdin: want it, or --token-file, not both")}
	}
	password, err := readPassword(std.in)
	if err != nil {
		return nil, err
	}
	return flags.signIn(ctx, c.Name, password)
}
