package main

import (
	"log/slog"
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"reverb/config"
)

func startCommand(p process, out *console) *cli.Command {
	return &cli.Command{
		Name:  "start",
		Usage: "Start the Reverb server",
		Flags: append(append(addressFlags(), fileFlags()...),
			&cli.BoolFlag{Name: "debug", Usage: "show the stream of data"}),
		Action: func(c *cli.Context) error {
			cfg, err := load(c, p.environ)
			if err != nil {
				return err
			}
			return start(p, out, cfg, c.Bool("debug"))
		},
	}
}

// start runs one server until a signal or `reverb restart` stops it.
func start(p process, out *console, cfg *config.Config, debug bool) error {
	log := newLogger(p, debug)
	raiseFileLimit(log)
	limitMemory(log)

	// Signals are caught before anything is open, so that one that comes early still ends in an orderly stop.
	signals := make(chan os.Signal, 4)
	p.notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer p.forget(signals)

	var stream *trace
	if debug {
		stream = newTrace(out)
		defer stream.close()
	}
	n, err := startNode(cfg, log, stream, p.environ)
	if err != nil {
		return err
	}
	out.info(n.banner())
	n.serve(signals, out)
	return nil
}

// newLogger writes to stderr, so that the console on stdout stays as Laravel's users know it.
func newLogger(p process, debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
}
