package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"reverb/internal/testclient"
)

// limitFiles bounds the descriptors of a running server to what it has open, and some more; unlimited is what it had before.
func limitFiles(t *testing.T, s *testclient.Server, more int) (unlimited func()) {
	t.Helper()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	var before unix.Rlimit
	if err := unix.Prlimit(s.PID(), unix.RLIMIT_NOFILE, nil, &before); err != nil {
		t.Fatal(err)
	}
	set := func(limit unix.Rlimit) {
		if err := unix.Prlimit(s.PID(), unix.RLIMIT_NOFILE, &limit, nil); err != nil {
			t.Fatal(err)
		}
	}
	set(unix.Rlimit{Cur: uint64(len(open) + more), Max: before.Max})
	return func() { set(before) }
}

// Every listener of the program outlives a time without free descriptors.
func TestNoFreeDescriptors(t *testing.T) {
	metrics, page := "127.0.0.1:"+freePort(t), "127.0.0.1:"+freePort(t)
	s := testclient.Start(t, bin, testclient.Options{Config: fmt.Sprintf(threeApps, "drain_timeout = 1", "") +
		"[metrics]\nlisten = \"" + metrics + "\"\n[dashboard]\nenabled = true\ninsecure_local = true\nlisten = \"" + page + "\"\n"})
	first := testclient.Connect(t, s.Addr, key)
	unlimited := limitFiles(t, s, 8)
	open := make(map[string]net.Conn)
	for range 12 { // the last ones are in vain
		c, err := net.Dial("tcp", s.Addr)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	waitFor(t, func() bool { return strings.Contains(s.Output(), "cannot accept connections") })
	for _, address := range []string{metrics, page} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		open[address] = c
	}
	reloaded := make(chan error, 1)
	go func() {
		out, err := reloadCommand(s)
		if err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
		reloaded <- err
	}()
	for _, address := range []string{metrics, page} {
		waitFor(t, func() bool { return strings.Contains(s.Output(), "addr="+address) })
	}
	waitFor(t, func() bool { return strings.Contains(s.Output(), ".sock") })
	first.Send(`{"event":"pusher:ping"}`)
	first.Expect(`{"event":"pusher:pong"}`)

	unlimited()
	if err := <-reloaded; err != nil {
		t.Errorf("a reload that was asked for meanwhile: %v", err)
	}
	if out, err := reloadCommand(s); err != nil {
		t.Errorf("a reload afterwards: %v\n%s", err, out)
	}
	testclient.Connect(t, s.Addr, key)
	client := http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	for _, url := range []string{"http://" + metrics + "/metrics", "http://" + page + "/"} {
		resp, err := client.Get(url)
		if err != nil {
			t.Errorf("GET %s: %v", url, err)
			continue
		}
		_ = resp.Body.Close()
	}
	if lines := strings.Count(s.Output(), "cannot accept connections"); lines > 4 {
		t.Errorf("%d log lines for 4 listeners within a minute\n%s", lines, s.Output())
	}
	for address, c := range open { // those that waited are served too
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: " + address + "\r\nConnection: close\r\n\r\n"))
		if n, err := c.Read(make([]byte, 64)); n == 0 {
			t.Errorf("%s: %v", address, err)
		}
	}
	s.Stop()
}
