package e2e_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"reverb/internal/testclient"
)

// apps is a configuration with these tables, each "id key secret" and perhaps further lines.
func apps(server string, tables ...string) string {
	text := "[server]\nhost = \"127.0.0.1\"\n" + server + "\n"
	for _, table := range tables {
		head, rest, _ := strings.Cut(table, "\n")
		word := strings.Fields(head)
		text += fmt.Sprintf("[[apps]]\napp_id = %q\nkey = %q\nsecret = %q\n%s\n", word[0], word[1], word[2], rest)
	}
	return text
}

// reloadCommand runs `reverb reload` for the server.
func reloadCommand(s *testclient.Server) (string, error) {
	_, port, _ := net.SplitHostPort(s.Addr)
	cmd := exec.Command(bin, "reload", "--port", port)
	cmd.Dir = s.Dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.Dir, "TMPDIR=" + s.Dir}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func configure(t *testing.T, s *testclient.Server, text string) {
	t.Helper()
	file := filepath.Join(s.Dir, "config.toml")
	writeFile(t, file+"~", []byte(text)) // a reload may be under way
	if err := os.Rename(file+"~", file); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
}

func appOf(s *testclient.Server, id, key, secret string) testclient.App {
	return testclient.App{ID: id, Key: key, Secret: secret, Base: "http://" + s.Addr}
}

const anEvent = `{"name":"e","channel":"room","data":"d"}`

func TestReload(t *testing.T) {
	const server = "port = 0\ndrain_timeout = 1"
	s := testclient.Start(t, bin, testclient.Options{Config: apps(server, "1 k1 s1", "2 k2 s2")})
	one, two := testclient.Connect(t, s.Addr, "k1"), testclient.Connect(t, s.Addr, "k2")
	one.Join("s1", "private-a", "")
	two.Join("s2", "room", "")

	t.Run("added and changed", func(t *testing.T) {
		configure(t, s, apps(server, "1 k1 s1\nmax_connections = 1", "2 k2 s2", "3 k3 s3"))
		out, err := reloadCommand(s)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		contains(t, out, "   INFO  Reloading the configuration.", "app 3 .", ". added", "app 1 .", ". max_connections = 1 (was 0)", ". reloaded")
		testclient.Connect(t, s.Addr, "k3")
		refused := testclient.Dial(t, s.Addr, "k1", testclient.DialOptions{})
		refused.ExpectError(4004, "Application is over connection quota")
		out, err = reloadCommand(s)
		contains(t, out, "reloaded, nothing has changed")
		if err != nil {
			t.Error(err)
		}
	})
	t.Run("rotated", func(t *testing.T) {
		configure(t, s, apps(server, "1 new fresh-secret\nprevious_keys = [\"k1\"]\nprevious_secrets = [\"s1\"]", "2 k2 s2"))
		s.Signal(syscall.SIGHUP)
		waitFor(t, func() bool { return strings.Contains(s.Output(), "asked_by=SIGHUP") })
		if strings.Contains(s.Output(), "fresh-secret") {
			t.Error("the log has the secret")
		}
		late := testclient.Connect(t, s.Addr, "k1")
		late.Join("s1", "private-a", "")
		for _, a := range []testclient.App{appOf(s, "1", "k1", "s1"), appOf(s, "1", "new", "fresh-secret")} {
			a.Post(t, "/events", `{"name":"e","channel":"private-a","data":"d"}`).Expect(t, 200, `{}`)
			for _, c := range []*testclient.Client{one, late} {
				c.Expect(`{"event":"e","data":"d","channel":"private-a"}`)
			}
		}
		appOf(s, "1", "new", "other").Post(t, "/events", anEvent).Expect(t, 401, "Authentication signature invalid.")
	})
	t.Run("broken", func(t *testing.T) {
		configure(t, s, apps(server, "1 new fresh-secret\nping_interval = 0\nhots = 1"))
		out, err := reloadCommand(s)
		if err == nil {
			t.Errorf("exit code 0\n%s", out)
		}
		contains(t, out, "config.toml:9: apps[0].ping_interval = 0: want", "config.toml:10: apps[0].hots: unknown key", "nothing has changed")
		waitFor(t, func() bool { return strings.Contains(s.Output(), "config.toml:9") })
		contains(t, s.Output(), "  ERROR  ", "config.toml:9: apps[0].ping_interval = 0")
		appOf(s, "2", "k2", "s2").Post(t, "/events", anEvent).Expect(t, 200, `{}`)
		two.Expect(`{"event":"e","data":"d","channel":"room"}`)
	})
	t.Run("removed, and what needs a restart", func(t *testing.T) {
		configure(t, s, apps("port = 1\ndrain_timeout = 1", "2 k2 s2"))
		out, err := reloadCommand(s)
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		contains(t, out, "app 1 .", ". removed", "needs a restart .", ". server.port = 1 (was 0)")
		waitFor(t, func() bool { return strings.Contains(s.Output(), "server.port = 1 (was 0)") })
		one.ExpectError(4001, "Application does not exist")
		one.ExpectClose(4001)
		appOf(s, "1", "new", "fresh-secret").Post(t, "/events", anEvent).Expect(t, 404, "No matching application for ID [1].")
		two.Send(`{"event":"pusher:ping"}`)
		two.Expect(`{"event":"pusher:pong"}`)
	})
	s.Stop()
}

// Forge and Envoyer: the server runs in "current", which a deployment swaps for another release.
func TestReloadByADeployment(t *testing.T) {
	site := t.TempDir()
	release := func(name, config string) {
		dir := filepath.Join(site, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, "config.toml"), []byte(config))
		if err := os.Symlink("../.env", filepath.Join(dir, ".env")); err != nil {
			t.Fatal(err)
		}
	}
	swap := func(name string) {
		link := filepath.Join(site, "current")
		if err := os.Symlink(name, link+"~"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"~", link); err != nil {
			t.Fatal(err)
		}
	}
	watching := "port = 0\ndrain_timeout = 1\nwatch = true"
	writeFile(t, filepath.Join(site, ".env"), []byte("REVERB_APP_ID=1\nREVERB_APP_KEY=k1\nREVERB_APP_SECRET=s1\n"))
	release("1", apps(watching))
	release("2", apps(watching, "1 k1 s1", "2 k2 s2"))
	swap("1")
	current := filepath.Join(site, "current")
	s := testclient.Start(t, bin, testclient.Options{Dir: current, Env: []string{"PWD=" + current}})
	waitFor(t, func() bool { return strings.Contains(s.Output(), "are applied when they are whole") })
	first := testclient.Connect(t, s.Addr, "k1")
	known := func(id string) func() bool {
		return func() bool {
			return appOf(s, id, "k"+id, "s"+id).Get(t, "/channels", nil).Status == 200
		}
	}
	// The watch may begin a moment after the log says so; whoever deploys then is noticed at the next change.
	again := 0
	waitFor(t, func() bool {
		if again++; again%50 == 1 {
			swap("1")
			swap("2")
		}
		return known("2")()
	})
	writeFile(t, filepath.Join(site, ".env"), []byte("REVERB_APP_ID=1\nREVERB_APP_KEY=k1\nREVERB_APP_SECRET=s3\nREVERB_APP_PREVIOUS_SECRETS=s1\n"))
	waitFor(t, func() bool { return appOf(s, "1", "k1", "s3").Get(t, "/channels", nil).Status == 200 })
	if !known("1")() {
		t.Error("the secret of before is not accepted")
	}
	writeFile(t, filepath.Join(site, "2", "config.toml"), []byte("[[apps]\n"))
	waitFor(t, func() bool { return strings.Contains(s.Output(), "config.toml:2: ") })
	if !known("2")() {
		t.Error("a broken file took an app away")
	}
	first.Send(`{"event":"pusher:ping"}`)
	first.Expect(`{"event":"pusher:pong"}`)
	s.Stop()
}

// A pause inside a write, at any place of the file, costs no app and no client.
func TestWatchAndHalfWrittenFiles(t *testing.T) {
	const server = "port = 0\ndrain_timeout = 1\nwatch = true"
	two := apps(server, "1 k1 s1\nallowed_origins = [\"site.test\"]", "2 k2 s2\nallowed_origins = [\"site.test\"]")
	s := testclient.Start(t, bin, testclient.Options{Config: two})
	waitFor(t, func() bool { return strings.Contains(s.Output(), "are applied when they are whole") })
	site := testclient.DialOptions{Origin: "http://site.test"}
	first, second := testclient.Dial(t, s.Addr, "k1", site), testclient.Dial(t, s.Addr, "k2", site)
	first.Established()
	second.Established()
	known := func(id string) bool {
		return appOf(s, id, "k"+id, "s"+id).Get(t, "/channels", nil).Status == 200
	}
	pause := func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for end := time.After(500 * time.Millisecond); ; {
			select {
			case <-tick.C:
				for _, id := range []string{"1", "2"} {
					if !known(id) {
						t.Fatalf("app %s is gone\n%s", id, s.Output())
					}
				}
				stranger := testclient.Dial(t, s.Addr, "k2", testclient.DialOptions{Origin: "http://other.test"})
				stranger.ExpectError(4009, "Origin not allowed")
			case <-end:
				return
			}
		}
	}
	lines := strings.SplitAfter(two, "\n")
	for i, written := range []int{0, strings.Index(two, "[[apps]]\napp_id = \"2\""), strings.LastIndex(two, "allowed_origins"), len(two) - len(lines[len(lines)-1]) - 4} {
		next := two + fmt.Sprintf("[[apps]]\napp_id = \"n%d\"\nkey = \"kn%d\"\nsecret = \"sn%d\"\nallowed_origins = [\"site.test\"]\n", i, i, i)
		f, err := os.Create(filepath.Join(s.Dir, "config.toml")) // empties it
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{next[:written], next[written:]} {
			if _, err := f.WriteString(part); err != nil {
				t.Fatal(err)
			}
			if part == next[:written] {
				pause()
			}
		}
		_ = f.Close()
		waitFor(t, func() bool { return known(fmt.Sprintf("n%d", i)) })
	}
	for _, c := range []*testclient.Client{first, second} {
		c.Send(`{"event":"pusher:ping"}`)
		c.Expect(`{"event":"pusher:pong"}`)
	}
	if strings.Contains(s.Output(), "  ERROR  ") {
		t.Errorf("a file that was being written was complained about\n%s", s.Output())
	}
	configure(t, s, apps(server, "1 k1 s1"))
	second.ExpectError(4001, "Application does not exist")
	s.Stop()
}

// While one app comes, goes and changes, another's subscribers get every event in order, and its site is never refused.
func TestReloadUnderLoad(t *testing.T) {
	const server = "port = 0\ndrain_timeout = 1"
	variants := []string{
		apps(server, "1 k1 s1", "2 k2 s2"),
		apps(server, "2 k2 s2\nmax_message_size = 500"),
		apps(server, "1 new s1\nprevious_keys = [\"k1\"]", "2 fresh s3\nprevious_keys = [\"k2\"]\nprevious_secrets = [\"s2\"]"),
		apps(server, "1 k1 s1\nenabled = false", "2 k2 s2\n[apps.rate_limiting]\nenabled = true"),
	}
	s := testclient.Start(t, bin, testclient.Options{Config: variants[0]})
	listener := testclient.Connect(t, s.Addr, "k2")
	listener.Join("s2", "private-room", "")

	stop, coming := make(chan struct{}), make(chan struct{})
	go func() { // those of the other app, whatever becomes of them
		defer close(coming)
		dialer := net.Dialer{Timeout: 20 * time.Second}
		for {
			select {
			case <-stop:
				return
			default:
			}
			conn, err := dialer.Dial("tcp", s.Addr)
			if err != nil {
				continue // the test's own end will tell
			}
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			_, _ = fmt.Fprintf(conn, "GET /app/k1?protocol=7 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
			_, _ = conn.Read(make([]byte, 1024))
			_ = conn.Close()
		}
	}()
	app := appOf(s, "2", "k2", "s2")
	for i := range 200 {
		if i%5 == 0 {
			configure(t, s, variants[i/5%len(variants)])
			s.Signal(syscall.SIGHUP)
		}
		app.Post(t, "/events", fmt.Sprintf(`{"name":"n","channel":"private-room","data":"%d"}`, i)).Expect(t, 200, `{}`)
	}
	for i := range 200 {
		listener.Expect(fmt.Sprintf(`{"event":"n","data":"%d","channel":"private-room"}`, i))
	}
	close(stop)
	<-coming
	if strings.Contains(s.Output(), "  ERROR  ") || strings.Contains(s.Output(), "panic") {
		t.Errorf("log\n%s", s.Output())
	}
	s.Stop()
}
