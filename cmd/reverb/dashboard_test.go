package main

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"reverb/node"
)

// hashed runs dashboard-password with what is typed.
func hashed(t *testing.T, typed string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run([]string{"reverb", "dashboard-password"}, process{stdin: strings.NewReader(typed), stdout: &stdout, stderr: &stderr, environ: environ(t)})
	return code, stdout.String() + stderr.String()
}

func TestDashboardPassword(t *testing.T) {
	code, out := hashed(t, "correct horse\r\n")
	found := regexp.MustCompile(`^password_hash = "([^"]+)"\n$`).FindStringSubmatch(out)
	if code != 0 || found == nil || bcrypt.CompareHashAndPassword([]byte(found[1]), []byte("correct horse")) != nil {
		t.Errorf("exit code %d, output %s", code, out)
	}
	for typed, want := range map[string]string{
		"":                             "needs at least 8 characters",
		"short\n":                      "needs at least 8 characters",
		strings.Repeat("x", 73) + "\n": "72 bytes at most",
	} {
		if code, out := hashed(t, typed); code != 1 || !strings.Contains(out, want) {
			t.Errorf("%q: exit code %d, want 1 and %q in %s", typed, code, want, out)
		}
	}
}

func TestDashboardIsServed(t *testing.T) {
	r := launch(t, oneApp("")+"[dashboard]\nenabled = true\ninsecure_local = true\nlisten = \"127.0.0.1:0\"\n")
	r.out.until(t, "Starting server")
	url := r.errOut.until(t, `dashboard is served.*url=(\S+)`)[1]
	client := &http.Client{Timeout: 10 * time.Second, Transport: new(http.Transport)}
	defer client.CloseIdleConnections()
	for path, want := range map[string]int{"": 200, "api/stats": 200, "js/main.js": 200, "nothing": 404} {
		answer, err := client.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("GET %s: status %d, want %d", path, answer.StatusCode, want)
		}
	}
	// A stream that is open does not hold up the stop.
	tail, err := (&http.Client{Transport: client.Transport}).Get(url + "api/apps/app-id/tail")
	if err != nil {
		t.Fatal(err)
	}
	defer tail.Body.Close()
	stopping := time.Now()
	r.signals <- syscall.SIGTERM
	if code := <-r.exit; code != 0 || time.Since(stopping) > node.CloseTimeout {
		t.Errorf("exit code %d after %v", code, time.Since(stopping))
	}
}

// A loopback address is open to every user of the machine.
func TestDashboardWithoutPasswordIsRefused(t *testing.T) {
	r := launch(t, oneApp("")+"[dashboard]\nenabled = true\nlisten = \"127.0.0.1:0\"\n")
	if code := <-r.exit; code != 1 || !strings.Contains(r.errOut.String(), "dashboard.insecure_local = true") {
		t.Errorf("exit code %d, said %s", code, r.errOut.String())
	}
}

func TestDashboardPortInUse(t *testing.T) {
	first := launch(t, oneApp("")+"[dashboard]\nenabled = true\ninsecure_local = true\nlisten = \"127.0.0.1:0\"\n")
	first.out.until(t, "Starting server")
	address := first.errOut.until(t, `dashboard is served.*url=http://([^/]+)/`)[1]
	second := launch(t, oneApp("")+"[dashboard]\nenabled = true\ninsecure_local = true\nlisten = \""+address+"\"\n")
	if code := <-second.exit; code != 1 || !strings.Contains(second.errOut.String(), `dashboard.listen = "`+address+`": Address already in use`) {
		t.Errorf("exit code %d, said %s", code, second.errOut.String())
	}
	first.signals <- syscall.SIGTERM
	<-first.exit
}
