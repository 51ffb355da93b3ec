package handover

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"reverb/internal/envlist"
)

// Program is how to start this program again, as it was started.
type Program struct {
	Path    string
	Args    []string // with the name in front
	Dir     string   // "" = where this process is
	Environ []string
}

// Self describes this process. The path is the one that it was called by, when that leads to the running file: behind a
// symbolic link that each deploy moves (`current/reverb`) the next process is then the new version. The working
// directory is likewise the name that the shell had for it.
func Self(args, environ []string) (Program, error) {
	running, err := os.Executable()
	if err != nil {
		return Program{}, fmt.Errorf("find the path of this program: %w", err)
	}
	p := Program{Path: running, Args: args, Environ: Clean(environ)}
	if dir, ok := envlist.Lookup(environ, "PWD"); ok && filepath.IsAbs(dir) && sameFile(dir, ".") {
		p.Dir = dir
	}
	if len(args) == 0 {
		return p, nil
	}
	called := args[0]
	if filepath.Base(called) == called {
		if called, err = exec.LookPath(called); err != nil {
			return p, nil //nolint:nilerr // it was not found by its name, and running is good
		}
	}
	if !filepath.IsAbs(called) && p.Dir != "" {
		called = filepath.Join(p.Dir, called)
	}
	if called, err = filepath.Abs(called); err == nil && sameFile(called, running) {
		p.Path = called
	}
	return p, nil
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
