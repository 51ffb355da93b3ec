package main

import (
	"errors"
	"log"
	"log/slog"
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/poller"
)

func startCommand(p process, out *console) *cli.Command {
	return &cli.Command{
		Name:  "start",
		Usage: "Start the Reverb server",
		Flags: append(append(addressFlags(), fileFlags()...),
			&cli.BoolFlag{Name: "debug", Usage: "show the stream of data"},
			&cli.StringFlag{Name: firstEventFlag, Hidden: true, Usage: "the `PAGE` on which a first event is seen"}),
		Action: func(c *cli.Context) error {
			cfg, err := load(c, p.environ)
			conf := config.LogOf(source(c, p.environ))
			if err == nil {
				conf = cfg.Log
			}
			said := newJournal(c, p, out, conf)
			defer said.close()
			line, failure := newLineage(p, p.args, said.log)
			if failure != nil {
				return said.told(failure)
			}
			if err == nil {
				err = start(p, said, cfg, line, c)
			}
			return said.told(line.end(err))
		},
	}
}

// tellAsServer has what is wrong with a command line told as a running server tells its lines: a start that fails waits for its terminal as
// little as one that does not.
func tellAsServer(command *cli.Command, p process, out *console) {
	tell := func(c *cli.Context, err error) error {
		if err == nil || errors.Is(err, errTold) {
			return err
		}
		said := newJournal(c, p, out, config.LogOf(source(c, p.environ)))
		defer said.close()
		return said.told(err)
	}
	action, usage := command.Action, command.OnUsageError
	command.Action = func(c *cli.Context) error { return tell(c, action(c)) }
	command.OnUsageError = func(c *cli.Context, err error, sub bool) error { return tell(c, usage(c, err, sub)) }
}

// start runs one server until a signal or `reverb restart` stops it, or another process takes over.
func start(p process, said *journal, cfg *config.Config, line *lineage, c *cli.Context) error {
	// Libraries log on their own account.
	slog.SetDefault(said.log)
	poller.LogTo(log.Writer())
	raiseFileLimit(said.log)
	limitMemory(said.log)
	ended := make(chan struct{})
	defer close(ended)
	go paceCollector(ended)

	// Signals are caught before anything is open, so that one that comes early still ends in an orderly stop.
	signals := make(chan os.Signal, 4)
	p.notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer p.forget(signals)

	var stream *trace
	if c.Bool("debug") {
		stream = newTrace(said)
	}
	n, err := startNode(cfg, said, stream, p.environ, line)
	if err != nil {
		return err
	}
	said.info(n.banner())
	if page := c.String(firstEventFlag); page != "" {
		said.plain(n.firstEvent(page))
	}
	if handedOver := n.serve(signals); !handedOver || line.guardian == nil {
		return nil
	}
	return line.guard(signals)
}
