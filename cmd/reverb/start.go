package main

import (
	"errors"
	"os"
	"syscall"

	"github.com/urfave/cli/v2"

	"reverb/config"
	"reverb/internal/console"
	"reverb/node"
	"reverb/node/handover"
	"reverb/node/journal"
)

// firstEventFlag is for `make run`: the page on which a newcomer sees a first event arrive. How to open it is said once
// the server listens.
const firstEventFlag = "first-event"

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
			own, failure := handover.NewProcess(p.args, p.environ, said.Log())
			if failure != nil {
				return told(said, failure)
			}
			if err == nil {
				err = start(p, said, cfg, own, c)
			}
			err = withHint(err)
			own.End(err)
			return told(said, err)
		},
	}
}

// tellAsServer has what is wrong with a command line told as a running server tells its lines: a start that fails waits
// for its terminal as little as one that does not.
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
func start(p process, said *journal.Journal, cfg *config.Config, own *handover.Process, c *cli.Context) error {
	node.Prepare(said.Log())

	// Signals are caught before anything is open, so that one that comes early still ends in an orderly stop.
	signals := make(chan os.Signal, 4)
	p.notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer p.forget(signals)

	n, err := node.Start(node.Options{
		Config: cfg, Journal: said, Process: own, Environ: p.environ, Version: version(), Debug: c.Bool("debug"),
	})
	if err != nil {
		return err
	}
	said.Info(n.Banner())
	if page := c.String(firstEventFlag); page != "" {
		said.Plain(n.FirstEvent(page))
	}
	if handedOver := n.Serve(signals); !handedOver {
		return nil
	}
	if status := own.Guard(signals); status != exitOK {
		return statusError(status)
	}
	return nil
}
