package restart

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"reverb/config"
)

const (
	// signalKey is what Reverb calls its signal in the cache.
	signalKey = "laravel:reverb:restart"
	// interval is Reverb's.
	interval = 5 * time.Second
	// readTimeout bounds one look at the store.
	readTimeout = 4 * time.Second
)

// store is one kind of cache. It is used by one goroutine.
type store interface {
	// read returns the value of the signal; "" when there is none.
	read(ctx context.Context) (string, error)
	close()
	// names are the keys that are looked at, or the file.
	names() []string
}

// Watcher looks for the signal from New until Close.
type Watcher struct {
	// Constant after New.
	store   store
	log     *slog.Logger
	changed chan struct{}
	cancel  context.CancelFunc
	running sync.WaitGroup

	// Owned by the goroutine.
	known   bool // value is what the store held first
	value   string
	failing bool
}

// New begins to watch the store, which need not be there yet: an error is one of the configuration.
func New(c config.Cache, log *slog.Logger) (*Watcher, error) {
	s, err := open(c)
	if err != nil {
		return nil, fmt.Errorf("laravel.cache_store = %q: %w", c.Store, err)
	}
	return watch(s, log), nil
}

// Check finds what New would refuse. It does not look at the store.
func Check(c config.Cache) error {
	s, err := open(c)
	if err != nil {
		return fmt.Errorf("laravel.cache_store = %q: %w", c.Store, err)
	}
	s.close()
	return nil
}

// Look looks at the store once. keys are those that it looks for, or the file; found is whether there is a signal.
func Look(ctx context.Context, c config.Cache) (keys []string, found bool, err error) {
	s, err := open(c)
	if err != nil {
		return nil, false, fmt.Errorf("laravel.cache_store = %q: %w", c.Store, err)
	}
	defer s.close()
	value, err := s.read(ctx)
	return s.names(), value != "", err
}

func open(c config.Cache) (store, error) {
	switch c.Store {
	case config.CacheRedis:
		return openRedis(c)
	case config.CacheFile:
		return openFile(c), nil
	case config.CacheDatabase:
		return openTable(c)
	}
	return nil, errors.New("there is no such store")
}

func watch(s store, log *slog.Logger) *Watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{store: s, log: log, changed: make(chan struct{}), cancel: cancel}
	w.running.Go(func() { w.run(ctx) })
	return w
}

// Changed is closed when the site has asked for a restart. A nil Watcher's never is.
func (w *Watcher) Changed() <-chan struct{} {
	if w == nil {
		return nil
	}
	return w.changed
}

// Close ends watching and waits for it.
func (w *Watcher) Close() {
	if w == nil {
		return
	}
	w.cancel()
	w.running.Wait()
}

func (w *Watcher) run(ctx context.Context) {
	defer w.store.close()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if w.look(ctx) {
			close(w.changed)
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look reports whether the signal is there.
func (w *Watcher) look(parent context.Context) bool {
	ctx, cancel := context.WithTimeout(parent, readTimeout)
	defer cancel()
	value, err := w.store.read(ctx)
	switch {
	case parent.Err() != nil:
		return false
	case err != nil:
		if !w.failing {
			w.failing = true
			w.log.Warn("the cache of the Laravel site cannot be read: until it can, `php artisan reverb:restart` does not reach this server", "err", err)
		}
		return false
	case w.failing:
		w.failing = false
		w.log.Info("the cache of the Laravel site can be read again")
	}
	if !w.known {
		w.known, w.value = true, value
		if value == "" {
			w.log.Info("the cache of the Laravel site can be read, and holds no restart signal yet: whether its key is right will show at the first `php artisan reverb:restart`",
				"keys", strings.Join(w.store.names(), " "))
			return false
		}
		w.log.Info("`php artisan reverb:restart` is heeded")
		return false
	}
	return value != w.value
}
