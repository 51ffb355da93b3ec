package restart

import (
	"context"
	"log/slog"

	"reverb/config"
)

// StoreForTest is a store.
type StoreForTest struct{ store }

// OpenForTest is open.
func OpenForTest(c config.Cache) (StoreForTest, error) {
	s, err := open(c)
	return StoreForTest{s}, err
}

// Read is read.
func (s StoreForTest) Read(ctx context.Context) (string, error) { return s.store.read(ctx) }

// Close is close.
func (s StoreForTest) Close() { s.store.close() }

// storeFunc is a store of a test.
type storeFunc func() (string, error)

func (f storeFunc) read(context.Context) (string, error) { return f() }
func (f storeFunc) close()                               {}
func (f storeFunc) names() []string                      { return []string{"key"} }

// WatchForTest watches what read returns.
func WatchForTest(read func() (string, error), log *slog.Logger) *Watcher {
	return watch(storeFunc(read), log)
}
