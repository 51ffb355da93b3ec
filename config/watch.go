package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// watchStep is between two looks at files that change, and from an event to
	// the first one, in a folder where much happens.
	watchStep = 100 * time.Millisecond

	// watchInterval is how often the files are looked at anyhow: network file
	// systems report nothing, and a watch is lost with its folder.
	watchInterval = time.Minute
)

// Watch loads the configuration again each time that the texts of its files have
// changed and come to rest, until ctx ends. It calls changed with what it has
// loaded, or with why that cannot be used. inForce returns the configuration
// that next will replace. All of it runs on the caller's goroutine.
func (c *Config) Watch(ctx context.Context, inForce func() *Config, changed func(next *Config, err error)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	w := &watch{files: c.Files(), watcher: watcher, inForce: inForce, changed: changed}
	w.follow()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	next := time.After(watchStep) // something may have changed since c was loaded
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			// Any event of the folder: a link that is swapped has another name than
			// the file behind it.
			if next == nil {
				next = time.After(watchStep)
			}
			continue
		case err := <-watcher.Errors: // a queue that ran over: look
			if err == nil {
				return nil // closed
			}
		case <-next:
		case <-tick.C:
		}
		next = nil
		w.follow()
		if w.step() {
			next = time.After(watchStep)
		}
	}
}

// watch is the state of one Watch.
type watch struct {
	files    []string // absolute
	watcher  *fsnotify.Watcher
	inForce  func() *Config
	changed  func(*Config, error)
	settling settling
	begun    bool // settling knows what is in force
}

// step looks at the files, and reports whether they must be looked at again soon.
func (w *watch) step() (again bool) {
	seen := w.look()
	due, changing := w.settling.step(time.Now(), seen)
	if !due {
		return changing
	}
	before := w.inForce()
	next, err := before.Reload()
	if w.look() != seen {
		return true // somebody wrote while we read
	}
	if !w.settling.accept(time.Now(), err != nil || seen.cut || before.narrows(next)) {
		return true
	}
	w.settling.settled(seen)
	if w.begun || err != nil || !before.Changes(next).Empty() {
		w.changed(next, err)
	}
	w.begun = true
	return false
}

// look reads the files.
func (w *watch) look() (seen look) {
	text, stamp := sha256.New(), sha256.New()
	for _, name := range w.files {
		data, info, err := readAll(name)
		_, _ = fmt.Fprintf(text, "%d %s\x00%v\x00", len(data), data, err)
		if err == nil {
			_, _ = fmt.Fprintf(stamp, "%d %v\x00", info.Size(), info.ModTime())
		}
		seen.cut = seen.cut || len(data) > 0 && data[len(data)-1] != '\n'
	}
	text.Sum(seen.text[:0])
	stamp.Sum(seen.stamp[:0])
	return seen
}

// readAll reads what may be a file of the configuration.
func readAll(name string) ([]byte, os.FileInfo, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	return data, info, err
}

// follow watches the folders that the files are in now, and no others any more.
// Those that cannot be watched are left to the interval.
func (w *watch) follow() {
	var wanted []string
	for _, name := range w.files {
		wanted = append(wanted, folders(name)...)
	}
	for _, old := range w.watcher.WatchList() {
		if !slices.Contains(wanted, old) {
			_ = w.watcher.Remove(old)
		}
	}
	for _, folder := range wanted {
		_ = w.watcher.Add(folder)
	}
}

// maxLinks bounds the links that are followed on the way to a file, as the kernel
// does.
const maxLinks = 40

// folders are those in which something must change for the name to lead to
// another file: that of the file, and those of all links on the way to it. A
// deployment swaps the link "current", Kubernetes the link "..data", and an
// editor renames a new file to the name of the old one.
func folders(name string) []string {
	var found []string
	at, rest := "/", split(name)
	for links := 0; len(rest) > 0; {
		next := filepath.Join(at, rest[0])
		target, err := os.Readlink(next)
		switch {
		case err != nil && len(rest) > 1 && isFolder(next):
			at, rest = next, rest[1:]
			continue
		case err != nil:
			return append(found, at) // the file, or where the way ends
		}
		if links++; links > maxLinks {
			return found
		}
		found = append(found, at)
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(split(target), rest[1:]...)
	}
	return found
}

func split(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == filepath.Separator })
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}
