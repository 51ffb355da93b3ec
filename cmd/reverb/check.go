package main

import (
	"log/slog"
	"strings"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
	"reverb/laravel/restart"
	"reverb/metrics"
	"reverb/node/certificate"
)

func checkCommand(p process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "check",
		Usage: "Validate the configuration and print the effective values, without secrets",
		Flags: append(addressFlags(), fileFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := load(c, p.environ)
			if err != nil {
				return err
			}
			printEffective(out, cfg)
			return checkStartable(out, cfg)
		},
	}
}

// printEffective lists each key with its value, and says where a value comes from unless it is the default.
func printEffective(out *console.Console, cfg *config.Config) {
	last := ""
	for _, entry := range cfg.Effective() {
		if table, _, _ := strings.Cut(entry.Key, "."); table != last {
			out.Text("\n")
			last = table
		}
		value := entry.Value
		if entry.Source != "default" {
			value += " (" + entry.Source + ")"
		}
		out.Detail(entry.Key, value)
	}
}

// checkStartable finds what would end a start although each value is allowed.
func checkStartable(out *console.Console, cfg *config.Config) error {
	numbers, log := metrics.New(version()), slog.New(slog.DiscardHandler)
	if _, err := newRelay(cfg.Scaling, numbers, cacheBounds{}, log); err != nil {
		return err
	}
	if cfg.Pulse.Enabled {
		recorder, err := newRecorder(cfg, numbers, log)
		if err != nil {
			return err
		}
		recorder.Close()
	}
	if cache := cfg.Laravel.Cache; heedsSignal(cache) && cache.Trouble == "" {
		if err := restart.Check(cache); err != nil {
			return err
		}
	}
	pair, err := certificate.Of(cfg.Server)
	if err != nil {
		return err
	}
	if pair != nil {
		out.Info("The configuration is valid, the certificate can be used.")
		return nil
	}
	out.Info("The configuration is valid.")
	return nil
}
