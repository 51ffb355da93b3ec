package e2e_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// metricsAt is the address of the metrics that a server has told.
func metricsAt(t *testing.T, s *testclient.Server) string {
	t.Helper()
	m := regexp.MustCompile(`metrics are served \.* ?address=(\S+)`).FindStringSubmatch(s.Output())
	if m == nil {
		t.Fatalf("no metrics in\n%s", s.Output())
	}
	return "http://" + m[1] + "/metrics"
}

// During the pause only /ready fails; then the clients leave one after the other, and everybody can see how many are left.
func TestPauseBeforeTheDrain(t *testing.T) {
	s := testclient.Start(t, bin, testclient.Options{Config: fmt.Sprintf(threeApps, "predrain = 8\ndrain_timeout = 5", "") + "[metrics]\nlisten = \"127.0.0.1:0\"\n"})
	numbers := metricsAt(t, s)
	clients := make([]*testclient.Client, 8)
	for i := range clients {
		clients[i] = testclient.Connect(t, s.Addr, key)
	}
	clients[0].Join(secret, "news", "")
	get := func(url string) (int, string) {
		answer, err := http.Get(url) //nolint:noctx // a test
		if err != nil {
			return 0, err.Error()
		}
		defer func() { _ = answer.Body.Close() }()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, string(body)
	}
	defer http.DefaultClient.CloseIdleConnections()
	if code, _ := get("http://" + s.Addr + "/ready"); code != 200 {
		t.Errorf("/ready is %d before the stop", code)
	}
	begun := time.Now()
	s.Signal(syscall.SIGTERM)
	waitFor(t, func() bool { code, _ := get("http://" + s.Addr + "/ready"); return code == 503 })
	if code, _ := get("http://" + s.Addr + "/up"); code != 200 {
		t.Errorf("/up is %d in the pause", code)
	}
	firstApp(s).Post(t, "/events", `{"name":"a","channel":"news","data":"1"}`).Expect(t, 200, `{}`)
	clients[0].Expect(`{"event":"a","data":"1","channel":"news"}`)
	testclient.Connect(t, s.Addr, key)
	if d := time.Since(begun); d > 8*time.Second {
		t.Fatalf("the pause was over before it was looked at: %v", d)
	}
	for _, c := range clients { // a client that reads answers the close
		go func() {
			for err := error(nil); err == nil; {
				_, err = c.Read()
			}
			c.Close()
		}()
	}
	wanted := []string{"Not ready any more ...", "clients are served for another "}
	if redisPort != "" { // a node alone sends all clients away at once
		theyLeaveOneByOne(t, func() string { _, text := get(numbers); return text })
		wanted = append(wanted, "Draining ...", " connections left  \n")
	}
	if code := s.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range wanted {
		if !strings.Contains(s.Output(), want) {
			t.Errorf("no %q in:\n%s", want, s.Output())
		}
	}
}

// theyLeaveOneByOne waits until the metrics have told four different numbers of clients that are left.
func theyLeaveOneByOne(t *testing.T, scrape func() string) {
	t.Helper()
	left := regexp.MustCompile(`(?m)^reverb_drain_connections (\d+)$`)
	values := map[string]bool{}
	waitFor(t, func() bool {
		text := scrape()
		if m := left.FindStringSubmatch(text); m != nil {
			values[m[1]] = true
		}
		if len(values) > 3 && !strings.Contains(text, "\nreverb_draining 1\n") {
			t.Errorf("it does not say that it drains:\n%s", text)
		}
		return len(values) > 3
	})
}

// A second signal ends the pause as well.
func TestSecondSignalEndsThePause(t *testing.T) {
	s := start(t, "predrain = 60\ndrain_timeout = 60", "")
	testclient.Connect(t, s.Addr, key)
	s.Signal(syscall.SIGTERM)
	waitFor(t, func() bool { return strings.Contains(s.Output(), "Not ready any more") })
	begun := time.Now()
	s.Signal(syscall.SIGTERM)
	if code := s.ExitCode(); code != 0 || time.Since(begun) > 20*time.Second {
		t.Errorf("exit code %d after %v", code, time.Since(begun))
	}
}

// As `php artisan reverb:restart` writes it into the file cache.
func TestLaravelsRestartSignal(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "storage/framework/cache/data/4f/e4/4fe44729b03e0a0a2586ebe0d445f50c083d0ff3")
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, name, []byte("9999999999i:1763700000;"))
	s := testclient.Start(t, bin, testclient.Options{Dir: dir, DotEnv: laravelEnv + "CACHE_STORE=file\n", Args: []string{"--port", freePort(t)}})
	waitFor(t, func() bool { return strings.Contains(s.Output(), "reverb:restart` is heeded") })
	client := testclient.Connect(t, s.Addr, key)
	writeFile(t, name, []byte("9999999999i:1763700060;"))
	client.ExpectClose(stopCode())
	client.Close()
	if code := s.ExitCode(); code != 0 || !strings.Contains(s.Output(), "   INFO  Stopping server on "+s.Addr+".  \n") {
		t.Errorf("exit code %d\n%s", code, s.Output())
	}
}

// A cache that cannot be reached is said once and ends nothing, also when .env describes it wrongly.
func TestRestartSignalWithoutItsCache(t *testing.T) {
	for name, env := range map[string]string{
		"no Redis":       "CACHE_STORE=redis\nREDIS_HOST=127.0.0.1\nREDIS_PORT=1\n",
		"no database":    "CACHE_STORE=database\nDB_CONNECTION=mysql\nDB_PORT=1\n",
		"another driver": "CACHE_STORE=database\nDB_CONNECTION=sqlsrv\n",
		"another store":  "CACHE_STORE=memcached\n",
		"no store":       "DB_CONNECTION=mysql\nDB_PORT=1\n", // which is the database
	} {
		t.Run(name, func(t *testing.T) {
			s := testclient.Start(t, bin, testclient.Options{DotEnv: laravelEnv + env, Args: []string{"--port", freePort(t)}})
			waitFor(t, func() bool { return strings.Count(s.Output(), "  WARN  ") == 1 })
			if !strings.Contains(s.Output(), "php artisan reverb:restart") {
				t.Errorf("output:\n%s", s.Output())
			}
			testclient.Connect(t, s.Addr, key).Close()
			s.Stop()
		})
	}
}

// A connection that the server has closed has left, whether its client goes too or not: its place is free and its channels know.
func TestPlaceOfAClosedConnection(t *testing.T) {
	for name, offend := range map[string]func(t *testing.T, c *testclient.Client, app testclient.App){
		"too large": func(_ *testing.T, c *testclient.Client, _ testclient.App) { c.Send(strings.Repeat("x", 20_000)) },
		"unmasked":  func(_ *testing.T, c *testclient.Client, _ testclient.App) { _ = c.Write([]byte{0x81, 0x00}) },
		"terminated": func(t *testing.T, _ *testclient.Client, app testclient.App) {
			app.Post(t, "/users/7/terminate_connections", "{}")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "", "max_connections = 1")
			c := testclient.Connect(t, s.Addr, key)
			c.Join(secret, "presence-room", member(7, "A"))
			offend(t, c, firstApp(s))
			if _, err := c.Read(); err == nil {
				t.Error("not closed")
			}
			// c is not closed by us, and may hold its socket for some seconds.
			next := testclient.Connect(t, s.Addr, key)
			next.Subscribe(secret, "presence-room", member(8, "B"))
			next.Event("pusher_internal:subscription_succeeded")
			left := redistest.Eventually(3*time.Second, func() bool { // the server gives the socket up after five
				return firstApp(s).Get(t, "/channels/presence-room/users", nil).Body == `{"users":[{"id":8}]}`
			})
			if !left {
				t.Error("it is still a member")
			}
		})
	}
}
