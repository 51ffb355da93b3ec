package main

import (
	"fmt"
	"os"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
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

// artisanFlags are those that every command of artisan has, so that the command lines of process managers can stay as
// they are.
func artisanFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "env", Usage: "read .env.`NAME` instead of .env, if there is one"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q", "silent"}, Usage: "write nothing to stdout"},
		&cli.BoolFlag{Name: "ansi", Usage: "use colours, on a terminal or not"},
		&cli.BoolFlag{Name: "no-ansi", Usage: "use no colours"},
		&cli.BoolFlag{Name: "no-interaction", Aliases: []string{"n"}, Hidden: true}, // nothing is asked anyway
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v", "vv", "vvv"}, Hidden: true},
	}
}

// dress has the console follow artisanFlags.
func dress(out *console.Console) cli.BeforeFunc {
	return func(c *cli.Context) error {
		if c.Bool("quiet") {
			out.Silence()
		}
		if c.Bool("ansi") || c.Bool("no-ansi") {
			out.SetColours(!c.Bool("no-ansi"))
		}
		return nil
	}
}

// source gathers where the configuration of a command comes from.
func source(c *cli.Context, environ []string) config.Source {
	flags := map[string]string{}
	for _, name := range []string{"host", "port", "path", "hostname"} {
		flags[name] = c.String(name)
	}
	return config.Source{File: c.String("config"), EnvFile: envFile(c), Environ: environ, Flags: flags}
}

// envFile is --env-file, or the file that --env stands for.
func envFile(c *cli.Context) string {
	if name := c.String("env"); name != "" && !c.IsSet("env-file") {
		if _, err := os.Stat(".env." + name); err == nil {
			return ".env." + name
		}
	}
	return c.String("env-file")
}

// load reads the configuration of a command.
func load(c *cli.Context, environ []string) (*config.Config, error) {
	cfg, err := config.Load(source(c, environ))
	if err != nil {
		return nil, fmt.Errorf("the configuration cannot be used:\n%w", err)
	}
	return cfg, nil
}
