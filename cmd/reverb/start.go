package main

import (
	"errors"
	"log"
	"log/slog"
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
	"reverb/node/journal"
	"reverb/poller"
)

func startCommand(p process, out *console.Console) *cli.Command {
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
			defer said.Close()
			line, failure := newLineage(p, p.args, said.Log())
			if failure != nil {
				return told(said, failure)
			}
			if err == nil {
				err = start(p, said, cfg, line, c)
			}
			return told(said, line.end(withHint(err)))
		},
	}
}

// tellAsServer has what is wrong with a command line told as a running server tells its lines: a start that fails waits for its terminal as
// little as one that does not.
func tellAsServer(command *cli.Command, p process, out *console.Console) {
	tell := func(c *cli.Context, err error) error {
		if err == nil || errors.Is(err, errTold) {
			return err
		}
		said := newJournal(c, p, out, config.LogOf(source(c, p.environ)))
		defer said.Close()
		return told(said, err)
	}
	action, usage := command.Action, command.OnUsageError
	command.Action = func(c *cli.Context) error { return tell(c, action(c)) }
	command.OnUsageError = func(c *cli.Context, err error, sub bool) error { return tell(c, usage(c, err, sub)) }
}

// newJournal is what the server of a command line writes to. out is its console, dressed.
func newJournal(c *cli.Context, p process, out *console.Console, conf config.Log) *journal.Journal {
	stderr := console.New(p.stderr, p.environ)
	if c.Bool("ansi") || c.Bool("no-ansi") {
		stderr.SetColours(!c.Bool("no-ansi"))
	}
	return journal.New(journal.Options{Stdout: out, Stderr: stderr, Log: conf, Debug: c.Bool("debug"), Notify: p.notify, Forget: p.forget})
}

// told is for the error that a server ends with: it is written, as all lines are, and need not be written again.
func told(said *journal.Journal, err error) error {
	var status statusError
	if err == nil || errors.Is(err, errTold) || errors.As(err, &status) {
		return err
	}
	said.Fail(err)
	return errTold
}

// start runs one server until a signal or `reverb restart` stops it, or another process takes over.
func start(p process, said *journal.Journal, cfg *config.Config, line *lineage, c *cli.Context) error {
	// Libraries log on their own account.
	slog.SetDefault(said.Log())
	poller.LogTo(log.Writer())
	raiseFileLimit(said.Log())
	limitMemory(said.Log())
	ended := make(chan struct{})
	defer close(ended)
	go paceCollector(ended)

	// Signals are caught before anything is open, so that one that comes early still ends in an orderly stop.
	signals := make(chan os.Signal, 4)
	p.notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer p.forget(signals)

	var stream *journal.Trace
	if c.Bool("debug") {
		stream = said.Trace()
	}
	n, err := startNode(cfg, said, stream, p.environ, line)
	if err != nil {
		return err
	}
	said.Info(n.banner())
	if page := c.String(firstEventFlag); page != "" {
		said.Plain(n.firstEvent(page))
	}
	if handedOver := n.serve(signals); !handedOver || line.guardian == nil {
		return nil
	}
	return line.guard(signals)
}
