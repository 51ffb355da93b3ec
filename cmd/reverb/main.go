package main

import (
	"errors"
	"io"
	"os"
	"os/signal"

	"github.com/urfave/cli/v2"

	"reverb/bench"
	"reverb/internal/console"
)

// The exit codes are Reverb's. Process managers of Laravel sites restart on any of them.
const (
	exitOK    = 0
	exitError = 1
)

func main() {
	os.Exit(run(os.Args, process{
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		environ: os.Environ(),
		notify:  signal.Notify,
		forget:  signal.Stop,
	}))
}

// process is what a command gets from the process it runs in, so that tests run commands without being one.
type process struct {
	args           []string // with the name in front
	stdin          io.Reader
	stdout, stderr io.Writer
	environ        []string
	notify         func(chan<- os.Signal, ...os.Signal)
	forget         func(chan<- os.Signal)
}

// run is the whole program but the exit.
func run(args []string, p process) int {
	p.args = args
	out, failures := console.New(p.stdout, p.environ), console.New(p.stderr, p.environ)
	err := newApp(p, out).Run(args)
	if err == nil {
		err = out.Complete()
	}
	var status statusError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &status):
		return int(status)
	case !errors.Is(err, errTold):
		failures.Fail(err.Error())
	}
	return exitError
}

// errTold ends a command with an error that its user has read already.
var errTold = errors.New("already told")

func newApp(p process, out *console.Console) *cli.App {
	app := &cli.App{
		Name:            "reverb",
		Usage:           "WebSocket server for Laravel that speaks the Pusher protocol",
		Version:         version(),
		Reader:          p.stdin,
		Writer:          p.stdout,
		ErrWriter:       p.stderr,
		HideHelpCommand: true,
		Flags:           []cli.Flag{cli.HelpFlag},     // the library adds it to apps without a command of that name
		ExitErrHandler:  func(*cli.Context, error) {}, // run tells errors and chooses the exit code
		OnUsageError:    wrongUsage,
		Commands: []*cli.Command{
			startCommand(p, out),
			restartCommand(p, out),
			reloadCommand(p, out),
			installCommand(p, out),
			checkCommand(p, out),
			doctorCommand(p, out),
			healthCommand(p, out),
			dashboardPasswordCommand(p, out),
			versionCommand(out),
		},
	}
	for _, command := range app.Commands {
		command.Flags = append(command.Flags, artisanFlags()...)
		command.Before = dress(out)
	}
	app.Commands = append(app.Commands, bench.Command(bench.Process{Notify: p.notify, Forget: p.forget, Site: siteServer(p.environ)}))
	for _, command := range app.Commands {
		command.Action = withoutArguments(command.Action)
	}
	app.EnableBashCompletion = true
	app.Commands = append(app.Commands, completionCommand(app, out), manCommand(app, out), helpCommand(app))
	for _, command := range app.Commands {
		withUsage(command)
	}
	tellAsServer(app.Command("start"), p, out)
	app.Action = func(c *cli.Context) error {
		if name := c.Args().First(); name != "" {
			return unknownCommand(app.Name, name, app.Commands)
		}
		return cli.ShowAppHelp(c)
	}
	return app
}
