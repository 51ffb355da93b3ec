package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
	"reverb/node"
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
			for _, slip := range cfg.Slips() {
				out.Warn(slip.String())
			}
			secure, err := node.Check(cfg, version())
			if err != nil {
				return err
			}
			if secure {
				out.Info("The configuration is valid, the certificate can be used.")
				return nil
			}
			out.Info("The configuration is valid.")
			return nil
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
