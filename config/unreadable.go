package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"reverb/internal/account"
)

// unreadable is the error of a file that could not be read: its absolute name, and where a right is missing the user of
// this process and the owner of the file.
func unreadable(path string, err error) error {
	if full, absErr := filepath.Abs(path); absErr == nil {
		path = full
	}
	cause := err
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		cause = p.Err
	}
	if !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("read configuration: %s: %w", path, cause)
	}
	return fmt.Errorf("read configuration: %s: %w (%s)", path, cause, rights(path))
}

// rights says as which user this process runs, and whose the file is, or the first folder on the way that may not be
// entered.
func rights(path string) string {
	text := "this process runs as " + user(os.Getuid())
	for at := path; ; {
		info, err := os.Stat(at)
		if err == nil {
			owner := ""
			if sys, ok := info.Sys().(*syscall.Stat_t); ok {
				owner = ", belongs to " + user(int(sys.Uid))
			}
			if at != path {
				at = "the folder " + at
			} else {
				at = "the file"
			}
			return fmt.Sprintf("%s; %s has mode %s%s", text, at, info.Mode(), owner)
		}
		up := filepath.Dir(at)
		if up == at {
			return text
		}
		at = up
	}
}

// user is the name of a user, or "user 33".
func user(id int) string {
	if name, ok := account.Name(id); ok {
		return name
	}
	return "user " + strconv.Itoa(id)
}

// noApp is ErrNoApp with the files that were looked at.
func (l *loader) noApp() error {
	var looked []string
	for _, name := range l.cfg.Files() {
		state := "no app in it"
		if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
			state = "not there"
		}
		looked = append(looked, name+" ("+state+")")
	}
	return fmt.Errorf("%w. Looked at %s", ErrNoApp, strings.Join(looked, " and "))
}
