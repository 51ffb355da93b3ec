package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"reverb/config"
)

// fileFlags say where the configuration is; every command that reads it has them.
func fileFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "read the configuration from `FILE` (default: config.toml, if there is one)"},
		&cli.StringFlag{Name: "env-file", Usage: "read Laravel's environment from `FILE` (default: .env, if there is one)"},
	}
}

// addressFlags are Reverb's.
func addressFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "host", Usage: "the IP `ADDRESS` to bind"},
		&cli.StringFlag{Name: "port", Usage: "the `PORT` to listen on"},
		&cli.StringFlag{Name: "path", Usage: "the `PREFIX` of every route"},
		&cli.StringFlag{Name: "hostname", Usage: "the public `NAME`, for the banner and the certificate of Herd or Valet"},
	}
}

// source gathers where the configuration of a command comes from.
func source(c *cli.Context, environ []string) config.Source {
	flags := map[string]string{}
	for _, name := range []string{"host", "port", "path", "hostname"} {
		flags[name] = c.String(name)
	}
	return config.Source{File: c.String("config"), EnvFile: c.String("env-file"), Environ: environ, Flags: flags}
}

// load reads the configuration of a command.
func load(c *cli.Context, environ []string) (*config.Config, error) {
	cfg, err := config.Load(source(c, environ))
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be used:\n%w", err)
	}
	return cfg, nil
}
