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
			defer out.forget()
			log := newLogger(p, c.Bool("debug"))
			line, err := newLineage(p, p.args, log)
			if err != nil {
				return err
			}
			cfg, err := load(c, p.environ)
			if err == nil {
				err = start(p, out, cfg, line, log, c.Bool("debug"))
			}
			return line.end(err)
		},
	}
}

// start runs one server until a signal or `reverb restart` stops it, or another process takes over.
func start(p process, out *console, cfg *config.Config, line *lineage, log *slog.Logger, debug bool) error {
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
	n, err := startNode(cfg, log, stream, p.environ, line)
	if err != nil {
		return err
	}
	out.info(n.banner())
	if handedOver := n.serve(signals, out); !handedOver || line.guardian == nil {
		return nil
	}
	return line.guard(signals)
}

// newLogger writes to stderr, so that the console on stdout stays as Laravel's users know it.
func newLogger(p process, debug bool) *slog.Logger {
	level := slog.LevelInfo
	if debug {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: level}))
}
