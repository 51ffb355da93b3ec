package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// Process is what the command needs from the process it runs in.
type Process struct {
	Notify func(chan<- os.Signal, ...os.Signal) // signal.Notify; nil: interrupts are not caught
	Forget func(chan<- os.Signal)               // signal.Stop

	// Site is the server of the Laravel site in the working directory, with the environment file of that name; "" is .env. False: there
	// is none. nil: nobody knows.
	Site func(envFile string) (Server, bool)
}

// Command is `bench`, with a command for each scenario and one for profiles. Results go to the app's Writer, what is being done to its
// ErrWriter.
func Command(p Process) *cli.Command {
	bench := &cli.Command{
		Name:  "bench",
		Usage: "load test this or any other server of the Pusher protocol",
		Description: "Exit status 1 says that a delivery was missing, came twice or out of order, or that something failed.\n" +
			"docs/bench.md tells how to read the results.",
		Action: func(c *cli.Context) error { return cli.ShowSubcommandHelp(c) },
	}
	for _, sc := range scenarios {
		bench.Subcommands = append(bench.Subcommands, scenarioCommand(p, sc))
	}
	bench.Subcommands = append(bench.Subcommands, profileCommand(p))
	return bench
}

func scenarioCommand(p Process, sc scenario) *cli.Command {
	set := sc.settings()
	var own []cli.Flag
	for f := range set.fields() {
		if sc.reads(f.key) {
			own = append(own, f.cli())
		}
	}
	return &cli.Command{
		Name: sc.name, Usage: sc.usage, Flags: slices.Concat(own, serverFlags(), runFlags()),
		Action: func(c *cli.Context) error {
			set := sc.settings()
			for f := range set.fields() {
				if sc.reads(f.key) {
					f.read(c)
				}
			}
			if err := set.validate(); err != nil {
				return err
			}
			servers, rest, err := chosenServers(c, p, nil)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return fmt.Errorf("%s takes no argument %s", sc.name, rest[0])
			}
			return carryOut(c, p, servers, []Settings{set})
		},
	}
}

func profileCommand(p Process) *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "make the runs of profile files", ArgsUsage: "PROFILE.toml...", Flags: slices.Concat(serverFlags(), runFlags()),
		Action: func(c *cli.Context) error {
			names := profileNames(c)
			if len(names) == 0 {
				return errors.New("run needs the name of a profile file")
			}
			var runs []Settings
			known := map[string]Server{}
			for _, name := range names {
				file, err := readProfile(name)
				if err != nil {
					return err
				}
				runs = append(runs, file.Runs...)
				for server, s := range file.Servers {
					known[server] = s
				}
			}
			if len(runs) == 0 {
				return errors.New("the profiles have no [[run]]")
			}
			servers, _, err := chosenServers(c, p, known)
			if err != nil {
				return err
			}
			return carryOut(c, p, servers, runs)
		},
	}
}

// profileNames are the arguments but the second server of --compare A B.
func profileNames(c *cli.Context) []string {
	names := c.Args().Slice()
	if len(c.StringSlice("compare")) == 1 && len(names) > 0 && !strings.HasSuffix(names[0], ".toml") {
		names = names[1:]
	}
	return names
}

// runFlags are about the whole command.
func runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.IntFlag{Name: "rounds", Value: 1, Usage: "make each run `N` times and report the medians"},
		&cli.StringFlag{Name: "client-cpus", Usage: "keep the client on these cores, as in `LIST` 1 or 2-3,6"},
		&cli.StringFlag{Name: "json", Usage: "write the results to `FILE` as JSON, - for the output"},
		&cli.StringFlag{Name: "csv", Usage: "write the figures to `FILE` as CSV, - for the output"},
		&cli.StringFlag{Name: "html", Usage: "write one page with charts to `FILE`"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "show no progress"},
	}
}

// terminalOf is where progress is shown: the error output, if someone looks at it.
func terminalOf(c *cli.Context) io.Writer {
	file, ok := c.App.ErrWriter.(*os.File)
	if c.Bool("quiet") || !ok || !term.IsTerminal(int(file.Fd())) {
		return nil
	}
	return file
}
