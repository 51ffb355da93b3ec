package certificate

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// reloadDelay gives a renewal time to write both files before they are read.
	reloadDelay = 250 * time.Millisecond

	// reloadInterval is how often the files are read anyhow: network file systems report nothing, and a watch
	// is lost with its directory.
	reloadInterval = time.Minute
)

// Watch loads the certificate again whenever its files change, until ctx ends; run it on a goroutine of its own.
// Handshakes from then on get the new one. Files that are no key pair change nothing and are logged, once.
func (p *Pair) Watch(ctx context.Context, log *slog.Logger) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch certificate %s: %w", p.certFile, err)
	}
	defer func() { _ = watcher.Close() }()
	p.watchFolders(watcher, log)

	// Something may have changed since the certificate was loaded, so the first look is at once.
	seen := p.reload(pemFiles{}, log)
	var settled <-chan time.Time
	tick := time.NewTicker(reloadInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			// Any event: a symbolic link that is swapped has another name than the file behind it.
			if settled == nil {
				settled = time.After(reloadDelay)
			}
			continue
		case err := <-watcher.Errors:
			log.Warn("watch certificate", "err", err)
		case <-settled:
			settled = nil
		case <-tick.C:
		}
		p.watchFolders(watcher, log)
		seen = p.reload(seen, log)
	}
}

// watchFolders watches the folders of the files, and of what the files are links to. The folders and not the files,
// because a renewed file is another one under the same name. Folders that are watched already cost nothing.
func (p *Pair) watchFolders(watcher *fsnotify.Watcher, log *slog.Logger) {
	for _, file := range []string{p.certFile, p.keyFile} {
		folders := []string{filepath.Dir(file)}
		if target, err := filepath.EvalSymlinks(file); err == nil {
			folders = append(folders, filepath.Dir(target))
		}
		for _, folder := range folders {
			if err := watcher.Add(folder); err != nil {
				log.Debug("folder is not watched, the certificate is looked at every minute", "folder", folder, "err", err)
			}
		}
	}
}

// reload serves what is in the files unless that was seen before. It returns what it saw.
func (p *Pair) reload(seen pemFiles, log *slog.Logger) pemFiles {
	files, err := p.read()
	if err != nil {
		files = pemFiles{cert: err.Error()}
	}
	if files == seen || files == p.current.Load().files {
		return files
	}
	if err == nil {
		err = p.use(files)
	}
	if err != nil {
		log.Error("the certificate's files changed and cannot be used; the old certificate stays", "err", err)
		return files
	}
	log.Info("certificate reloaded", "certificate", p.certFile, "expires", p.current.Load().tls.Leaf.NotAfter)
	return files
}
