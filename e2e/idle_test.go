package e2e_test

import (
	"bufio"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"reverb/internal/testclient"
)

const (
	idleConnections = 10_000
	idleGoroutines  = 50    // more than without connections, at most
	idleBytes       = 1_250 // resident for each connection, at most: 30 % above what docs/performance.md states
)

// TestIdleConnections holds connections that are subscribed to a private channel each and do nothing. IDLE_PROFILE=FILE keeps the
// server's heap profile for docs/performance.md; with GODEBUG=memprofilerate=1 every object is in it.
func TestIdleConnections(t *testing.T) {
	scrape := "127.0.0.1:" + freePort(t)
	s := testclient.Start(t, bin, testclient.Options{Env: []string{"GODEBUG=" + os.Getenv("GODEBUG")}, Config: fmt.Sprintf(threeApps, "", "ping_interval = 3600\n") + "\n[metrics]\nlisten = \"" + scrape + "\"\nprofiles = true\n"})

	// The first connections pay for what all share: buffers, pools, the maps' first size.
	hold(t, s, 0, 500)
	goroutines, resident := metric(t, scrape, "go_goroutines"), residentBytes(t, s.PID())
	hold(t, s, 500, 500+idleConnections)
	more := metric(t, scrape, "go_goroutines") - goroutines
	each := float64(residentBytes(t, s.PID())-resident) / idleConnections
	t.Logf("%d connections: %.0f more goroutines, %.0f B resident for each", idleConnections, more, each)
	if name := os.Getenv("IDLE_PROFILE"); name != "" {
		writeFile(t, name, []byte(testclient.Do(t, nil, http.MethodGet, "http://"+scrape+"/debug/pprof/heap?gc=1", "").Body))
	}
	if more > idleGoroutines {
		t.Errorf("%.0f more goroutines, at most %d", more, idleGoroutines)
	}
	if each > idleBytes {
		t.Errorf("%.0f B resident for each connection, at most %d", each, idleBytes)
	}
}

// hold connects and subscribes client first to last, each to its own channel, until the end of the test.
func hold(t *testing.T, s *testclient.Server, first, last int) {
	t.Helper()
	for i := first; i < last; i++ {
		c := testclient.Connect(t, s.Addr, key)
		c.Join(secret, fmt.Sprint("private-user.", i), "")
	}
}

func residentBytes(t *testing.T, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// metric reads one value without labels.
func metric(t *testing.T, addr, name string) float64 {
	t.Helper()
	res, err := http.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}
