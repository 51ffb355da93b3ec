package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"reverb/internal/nearest"
)

// helpCommand is the way to --help that many programs have.
func helpCommand(app *cli.App) *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "Show the commands, or the flags of one",
		ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			path := c.Args().Slice()
			if len(path) == 0 {
				return cli.ShowAppHelp(c)
			}
			return app.Run(append(append([]string{app.Name}, path...), "--help"))
		},
	}
}

// unknownCommand is the error for a word that is no command.
func unknownCommand(above, typed string, commands []*cli.Command) error {
	return errors.New("there is no command " + typed + "." + nearest.Question(typed, commandNames(commands)) + " All of them: " + above + " --help")
}

func commandNames(commands []*cli.Command) (names []string) {
	for _, command := range commands {
		if !command.Hidden {
			names = append(names, command.Names()...)
		}
	}
	return names
}

// wrongUsage puts the errors of package flag into words that help. It is called for the app, and for each command.
func wrongUsage(c *cli.Context, err error, _ bool) error {
	command, flags := c.App.HelpName, c.App.Flags
	if c.Command != nil && c.Command.HelpName != "" {
		command, flags = c.Command.HelpName, c.Command.Flags
	}
	typed, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return fmt.Errorf("%w. See %s --help", err, command)
	}
	typed = strings.TrimLeft(typed, "-")
	var names []string
	for _, flag := range flags {
		for _, name := range flag.Names() {
			if len(name) > 1 {
				names = append(names, "--"+name)
			}
		}
	}
	return fmt.Errorf("%s has no flag --%s.%s All of them: %s --help", command, typed, nearest.Question("--"+typed, names), command)
}

// withUsage gives command, and those below it, the errors of this program.
func withUsage(command *cli.Command) {
	command.OnUsageError = wrongUsage
	command.BashComplete = completeVisible(command)
	command.HideHelpCommand = true
	for _, sub := range command.Subcommands {
		withUsage(sub)
	}
}

// completeVisible is the library's completion of a command, without the hidden flags: it leaves out those of one kind only.
func completeVisible(command *cli.Command) cli.BashCompleteFunc {
	return func(c *cli.Context) {
		cli.DefaultCompleteWithFlags(&cli.Command{Subcommands: command.Subcommands, Flags: command.VisibleFlags()})(c)
	}
}

// withoutArguments refuses an argument behind the flags of a command that takes none: it is a mistyped flag.
func withoutArguments(action cli.ActionFunc) cli.ActionFunc {
	return func(c *cli.Context) error {
		if c.Args().Present() && len(c.Command.Subcommands) > 0 {
			return unknownCommand(c.Command.HelpName, c.Args().First(), c.Command.Subcommands)
		}
		if c.Args().Present() {
			return errors.New("the command " + c.Command.Name + " does not take the argument " + c.Args().First())
		}
		return action(c)
	}
}
