// Package sdk_test drives the real program with the official server library of Pusher for Go. It is a module of its own, so that nothing of
// theirs is among what the program is built of.
package sdk_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"
)

// program is the server, built once.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "reverb-sdk")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "reverb")
	if out, err := exec.Command("go", "build", "-C", filepath.Join("..", ".."), "-o", program, "./cmd/reverb").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build reverb: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	appID  = "123456"
	key    = "reverb-key"
	secret = "reverb-secret"
)

// config is one application under Pusher's rules; everything else is the default.
const config = `
[server]
host = "127.0.0.1"
port = 0
drain_timeout = 0
[[apps]]
app_id = "` + appID + `"
key = "` + key + `"
secret = "` + secret + `"
profile = "pusher"
`

var banner = regexp.MustCompile(`server on (127\.0\.0\.1:\d+)`)

// startServer runs the program for the length of the test and returns its address.
func startServer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "start")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var read sync.WaitGroup
	addr := make(chan string, 1)
	read.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if m := banner.FindStringSubmatch(lines.Text()); m != nil {
				addr <- m[1]
			}
		}
		close(addr)
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		read.Wait()
		_ = cmd.Wait()
	})
	select {
	case a, ok := <-addr:
		if ok {
			return a
		}
		t.Fatal("the server ended before it listened")
	case <-time.After(20 * time.Second):
		t.Fatal("no banner")
	}
	return ""
}
