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
	// watchQuiet is how long nothing must happen before the files are read: an
	// editor or a deployment does several things to a file, and to several files.
	watchQuiet = 300 * time.Millisecond

	// watchPatience is how long we wait for quiet in a folder that knows none.
	watchPatience = 2 * time.Second

	// watchInterval is how often the files are looked at anyhow: network file
	// systems report nothing, and a watch is lost with its folder.
	watchInterval = time.Minute
)

// Watch calls changed each time the text of a file of the configuration is
// another than before, until ctx ends. It runs on the caller's goroutine, and so
// does changed.
func (c *Config) Watch(ctx context.Context, changed func()) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch configuration: %w", err)
	}
	defer func() { _ = watcher.Close() }()
	w := &watch{files: c.Files(), watcher: watcher}
	w.follow()
	w.seen = w.look()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	var quiet <-chan time.Time
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			// Any event of the folder: a link that is swapped has another name than
			// the file behind it.
			if quiet == nil {
				since = time.Now()
			}
			quiet = time.After(min(watchQuiet, max(0, watchPatience-time.Since(since))))
			continue
		case err := <-watcher.Errors: // a queue that ran over: look
			if err == nil {
				return nil // closed
			}
		case <-quiet:
		case <-tick.C:
		}
		quiet = nil
		w.follow()
		if now := w.look(); now != w.seen {
			w.seen = now
			changed()
		}
	}
}

// watch is the state of one Watch.
type watch struct {
	files   []string // absolute
	watcher *fsnotify.Watcher
	seen    [sha256.Size]byte
}

// look is a fingerprint of what is in the files, or of why it cannot be read.
func (w *watch) look() [sha256.Size]byte {
	sum := sha256.New()
	for _, name := range w.files {
		f, err := os.Open(name)
		if err == nil {
			_, err = io.Copy(sum, io.LimitReader(f, maxFile+1))
			_ = f.Close()
		}
		_, _ = fmt.Fprintf(sum, "\x00%v\x00", err)
	}
	return [sha256.Size]byte(sum.Sum(nil))
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
