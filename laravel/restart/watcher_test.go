package restart_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"reverb/laravel/restart"
)

// Each step is what one look at the store finds.
func TestWatcher(t *testing.T) {
	type step struct {
		value string
		err   error
	}
	gone := errors.New("connection refused")
	for _, tc := range []struct {
		name  string
		steps []step
		want  int // the step of the signal, from 1; 0 = none
		warns int
	}{
		{"nothing happens", []step{{"", nil}, {"", nil}, {"", nil}}, 0, 0},
		{"an old signal", []step{{"100", nil}, {"100", nil}, {"100", nil}}, 0, 0},
		{"a signal", []step{{"", nil}, {"", nil}, {"100", nil}}, 3, 0},
		{"a second signal", []step{{"100", nil}, {"160", nil}}, 2, 0},
		{"an earlier time is a signal too", []step{{"100", nil}, {"99", nil}}, 2, 0},
		{"the cache is cleared", []step{{"100", nil}, {"", nil}}, 2, 0},
		{"the store is gone for a while", []step{{"100", nil}, {"", gone}, {"", gone}, {"100", nil}, {"", gone}, {"100", nil}}, 0, 2},
		{"a signal while it was gone", []step{{"100", nil}, {"", gone}, {"160", nil}}, 3, 1},
		{"the store comes late", []step{{"", gone}, {"", gone}, {"100", nil}, {"100", nil}}, 0, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				var looks atomic.Int32
				w := restart.WatchForTest(func() (string, error) {
					s := tc.steps[min(int(looks.Add(1)), len(tc.steps))-1]
					return s.value, s.err
				}, slog.New(slog.NewTextHandler(&log, nil)))
				begun := time.Now()
				end := time.After(time.Duration(len(tc.steps))*5*time.Second - time.Second)
				select {
				case <-w.Changed():
					if got := int(time.Since(begun)/(5*time.Second)) + 1; got != tc.want {
						t.Errorf("signal at step %d, want %d", got, tc.want)
					}
				case <-end:
					if tc.want != 0 {
						t.Errorf("no signal, want one at step %d", tc.want)
					}
				}
				w.Close()
				if n := strings.Count(log.String(), "level=WARN"); n != tc.warns {
					t.Errorf("%d warnings, want %d:\n%s", n, tc.warns, log.String())
				}
			})
		})
	}
}

func TestNilWatcher(t *testing.T) {
	var w *restart.Watcher
	if w.Changed() != nil {
		t.Error("a signal of no watcher")
	}
	w.Close()
}

// The log says that the signal is heeded when its very key has been read, and not before.
func TestWatcherSaysWhatItKnows(t *testing.T) {
	for value, heeded := range map[string]bool{"": false, "100": true} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			w := restart.WatchForTest(func() (string, error) { return value, nil }, slog.New(slog.NewTextHandler(&log, nil)))
			synctest.Wait()
			w.Close()
			if got := strings.Contains(log.String(), "is heeded"); got != heeded || strings.Count(log.String(), "\n") != 1 {
				t.Errorf("value %q: log\n%s", value, log.String())
			}
			if !heeded && !strings.Contains(log.String(), "keys=key") {
				t.Errorf("the log does not name the key\n%s", log.String())
			}
		})
	}
}
