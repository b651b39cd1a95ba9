package main

import (
	"context"
	"fmt"

	"watchhouse/registry"
)

type registryBridgeCmd struct {
	registryFlags
	ID        string   `required:"" help:"Id of the account, which no device has."`
	Publish   []string `help:"Topic filter that the bridge may publish on, e.g. application/#; may be given again." placeholder:"FILTER" sep:"none"`
	Subscribe []string `help:"Topic filter that it may subscribe to." placeholder:"FILTER" sep:"none"`
	Secret    string   `help:"Secret of the account; generated and printed once when absent."`
}

func (c *registryBridgeCmd) Run(ctx context.Context, std streams) error {
	var grants []registry.Grant
	for _, filter := range c.Publish {
		grants = append(grants, registry.Grant{Filter: filter, Publish: true})
	}
	for _, filter := range c.Subscribe {
		grants = append(grants, registry.Grant{Filter: filter, Subscribe: true})
	}
	store, err := c.store(std)
	if err != nil {
		return err
	}
	generated, err := store.bridge(ctx, c.ID, grants, c.Secret)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "account %s may use %d filters\n", c.ID, len(grants))
	if generated == "" {
		return nil
	}
	return printSecrets(std, map[string]string{c.ID: generated})
}
