package main

import (
	"watchhouse/config"
	"watchhouse/dashboard"
)

// docsCmd prints what is generated from the code; `make docs` keeps the files.
type docsCmd struct {
	Configuration docsConfigurationCmd `cmd:"" help:"docs/configuration.md."`
	OpenAPI       docsOpenAPICmd       `cmd:"" name:"openapi" help:"dashboard/web/openapi.json."`
}

type docsConfigurationCmd struct{}

func (docsConfigurationCmd) Run(std streams) error { return config.WriteReference(std.out) }

type docsOpenAPICmd struct{}

func (docsOpenAPICmd) Run(std streams) error {
	text, err := dashboard.OpenAPI()
	if err != nil {
		return err
	}
	_, err = std.out.Write(text)
	return err
}
