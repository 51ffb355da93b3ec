package chaos_test

import (
	"testing"

	"reverb/internal/redistest"
)

// single is one Redis, for nodes of the mode.
func single(t testing.TB, mode string, args ...string) (*redistest.Server, backend) {
	t.Helper()
	redis := redistest.Start(t, args...)
	return redis, backend{
		mode:   mode,
		toml:   func(int) string { return "port = " + redis.Port() },
		stores: func() []*redistest.Server { return []*redistest.Server{redis} },
	}
}

// The values of scaling.mode.
const (
	native = "native"
	php    = "reverb"
)

// repeat runs a case, in both modes and several times when there is time.
func repeat(t *testing.T, f func(t *testing.T, mode string)) {
	t.Parallel()
	modes := []string{native}
	if *long {
		modes = []string{native, php, native, php}
	}
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { f(t, mode) })
	}
}

// A node is killed: its members leave, once; nobody else notices.
func TestNodeKilled(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		_, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() { tr.s.kill(2) })
		tr.verdict(expectation{absent: []int{2}, ghosts: true})
	})
}

// A node stands still until the others have taken it for dead, and goes on as if nothing had happened.
func TestNodeStopped(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		_, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() { tr.s.pause(1, 2*lease()) })
		tr.verdict(expectation{lossy: []int{1}, absent: []int{1}, ghosts: true})
	})
}

// A node stands still for a moment: nobody notices.
func TestNodeStoppedBriefly(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		_, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() { tr.s.pause(1, lease()/3) })
		tr.verdict(expectation{})
	})
}
