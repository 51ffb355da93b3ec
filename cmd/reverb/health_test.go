package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/config"
)

func TestHealth(t *testing.T) {
	for name, server := range map[string]string{
		"plain":                "",
		"under a prefix":       "path = \"/ws\"\n",
		"with PROXY headers":   "trusted_proxies = [\"127.0.0.1\"]\nproxy_protocol = true\n",
		"with others' headers": "trusted_proxies = [\"192.0.2.1\"]\nproxy_protocol = true\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := startForTest(t, server)
			file := filepath.Join(t.TempDir(), "config.toml")
			if err := os.WriteFile(file, []byte(oneApp(server)), 0o600); err != nil {
				t.Fatal(err)
			}
			args := []string{"health", "--config", file, "--env-file", os.DevNull, "--port", r.port()}
			for _, more := range [][]string{nil, {"--ready"}} {
				if code, _, stderr := command(t, append(args, more...)...); code != 0 {
					t.Errorf("%v: exit code %d\n%s", more, code, stderr)
				}
			}
			r.stop(t)
			if code, _, stderr := command(t, args...); code != 1 || !strings.Contains(stderr, "ask 127.0.0.1:"+r.port()) {
				t.Errorf("of a server that is gone: exit code %d\n%s", code, stderr)
			}
		})
	}
}

func TestHealthDoesNotBelieveAnotherProgram(t *testing.T) {
	for _, body := range []string{"", "OK", "<html>", `{"status":"ok"}`, `["health"]`, `{"health":`} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
		_, port, _ := net.SplitHostPort(other.Listener.Addr().String())
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(oneApp("")), 0o600); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := command(t, "health", "--config", file, "--env-file", os.DevNull, "--port", port)
		if code != 1 || !strings.Contains(stderr, "no Reverb server") || !strings.Contains(stderr, "has port "+port) {
			t.Errorf("answered %q: exit code %d\n%s", body, code, stderr)
		}
		other.Close()
	}
}

func TestHealthAddress(t *testing.T) {
	for host, want := range map[string]string{
		"0.0.0.0": "127.0.0.1:8080", "::": "[::1]:8080", "[::]": "[::1]:8080", "192.0.2.1": "192.0.2.1:8080", "localhost": "localhost:8080",
	} {
		if got := healthAddress(config.Server{Host: host, Port: 8080}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}
