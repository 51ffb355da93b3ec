package e2e_test

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// A node alone is gone before its clients come back, which they do after a second: nobody is spread over drain_timeout, clients that do not
// answer are not waited for, and one that is behind has what waits for it first.
func TestNodeAloneIsGoneInASecond(t *testing.T) {
	s := start(t, "max_request_size = 200000\ndrain_timeout = 60", "")
	for range 20 {
		testclient.Connect(t, s.Addr, key)
	}
	const events = 60
	behind := newReader(t, s, "news")
	publishAtOnce(t, s, "news", events, 100_000)
	begun := time.Now()
	s.Signal(syscall.SIGTERM)
	behind.read(events)
	var closed *testclient.CloseError
	if _, err := behind.Read(); behind.failed != nil || !errors.As(err, &closed) || closed.Code != 1001 {
		t.Errorf("the client that was behind: %v, then %v", behind.failed, err)
	}
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
	if d := time.Since(begun); d > 15*time.Second { // a second, and time for the machine; not drain_timeout
		t.Errorf("the server was gone after %v", d)
	}
}
