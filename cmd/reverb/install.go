package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"reverb/internal/console"
	"reverb/laravel/envfile"
)

func installCommand(_ process, out *console.Console) *cli.Command {
	return &cli.Command{
		Name:  "install",
		Usage: "Write the credentials of a Laravel site into its .env and show what else it needs",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "env-file", Value: ".env", Usage: "Laravel's environment `FILE`"},
		},
		Action: func(c *cli.Context) error { return install(out, envFile(c)) },
	}
}

// install does what `php artisan reverb:install` does to the environment file, and prints what it does to PHP files:
// those are the site's, in whatever form its authors gave them. Only where no line says what the site broadcasts
// through is that left to the operator, as the installer does.
func install(out *console.Console, name string) error {
	if name == "" {
		return errors.New("--env-file needs the name of a file")
	}
	full, err := filepath.Abs(name)
	if err != nil {
		full = name
	}
	before, err := os.ReadFile(name)
	created := errors.Is(err, fs.ErrNotExist)
	if err != nil && !created {
		return fmt.Errorf("read environment file %s: %w", full, bare(err))
	}
	after, added := envfile.Complete(string(before), envfile.Variables())
	after = envfile.Broadcast(after)
	if after != string(before) {
		if err := envfile.Replace(name, after); err != nil {
			return fmt.Errorf("write environment file %s: %w", full, bare(err))
		}
	}
	report(out, name, created, added, envfile.OtherBroadcasters(string(before)))
	out.Text(envfile.Snippets(after))
	out.Info("Reverb installed successfully.")
	return nil
}

// bare is the cause of an error without the name of the file, which may be that of a temporary one.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}
	if link, ok := errors.AsType[*os.LinkError](err); ok {
		return link.Err
	}
	return err
}

func report(out *console.Console, name string, created bool, added []string, replaced []envfile.Assignment) {
	switch {
	case created:
		out.Info("The environment file " + name + " did not exist and was created.")
	case len(replaced) > 0:
		out.Info("The environment file " + name + " was changed.")
	case len(added) == 0:
		out.Info("The environment file " + name + " has all variables already and was not touched.")
	default:
		out.Info("The environment file " + name + " was completed, what it had was kept.")
	}
	isNew := map[string]bool{}
	for _, variable := range added {
		isNew[variable] = true
	}
	for _, v := range envfile.Variables() {
		if isNew[v.Name] {
			out.ColouredDetail(v.Name, "added", console.Green)
		} else {
			out.ColouredDetail(v.Name, "kept", console.Yellow)
		}
	}
	for _, was := range replaced {
		out.ColouredDetail(was.Name, fmt.Sprintf("reverb, it was %q", was.Value), console.Green)
	}
	out.Text("\n")
}
