package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
)

// The scripts of the shells ask this program what may come next, so that they know the commands and flags of the
// version that is installed. Of "--" alone they pass "-": the library takes nothing for a flag behind "--".
const (
	bashCompletion = `_reverb() {
	local cur="${COMP_WORDS[COMP_CWORD]}" ask=("${COMP_WORDS[@]:0:COMP_CWORD}")
	case $cur in --) ask+=(-) ;; -*) ask+=("$cur") ;; esac
	mapfile -t COMPREPLY < <(compgen -W "$(SHELL=bash "${ask[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur")
}
complete -o bashdefault -o default -F _reverb reverb
`
	zshCompletion = `#compdef reverb
_reverb() {
	local -a found ask
	ask=("${words[@]:0:$((CURRENT - 1))}")
	case ${words[CURRENT]} in --) ask+=(-) ;; -*) ask+=("${words[CURRENT]}") ;; esac
	found=("${(@f)$(SHELL=zsh "${ask[@]}" --generate-bash-completion 2>/dev/null)}")
	if [[ -n ${found[1]} ]]; then _describe 'reverb' found; else _files; fi
}
if [[ $funcstack[1] == _reverb ]]; then _reverb "$@"; else compdef _reverb reverb; fi
`
)

// completionCommand prints what a shell reads once.
func completionCommand(app *cli.App, out *console.Console) *cli.Command {
	text := func(script string) func() (string, error) {
		return func() (string, error) { return script, nil }
	}
	shell := func(name string, script func() (string, error)) *cli.Command {
		return &cli.Command{Name: name, Usage: "Print the script for " + name, Action: printText(out, script)}
	}
	return &cli.Command{
		Name:            "completion",
		Usage:           "Print the script with which bash, zsh or fish completes commands and flags",
		HideHelpCommand: true,
		Subcommands: []*cli.Command{
			shell("bash", text(bashCompletion)),
			shell("zsh", text(zshCompletion)),
			shell("fish", app.ToFishCompletion),
		},
		Action: func(c *cli.Context) error {
			return fmt.Errorf("there is no script for %q: want bash, zsh or fish", c.Args().First())
		},
	}
}

// manCommand prints the page of man(1), made from the same definition as --help.
func manCommand(app *cli.App, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "man",
		Usage: "Print the page of the manual, for man(1)",
		Action: printText(out, func() (string, error) {
			commands, err := app.ToManWithSection(1)
			return strings.TrimRight(commands, "\n") + "\n" + roff(manPage), err
		}),
	}
}

func printText(out *console.Console, text func() (string, error)) cli.ActionFunc {
	return withoutArguments(func(*cli.Context) error {
		s, err := text()
		if err != nil {
			return fmt.Errorf("make the text: %w", err)
		}
		out.Text(s)
		return nil
	})
}
