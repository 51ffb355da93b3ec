package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctorCommand(t *testing.T) {
	env := filepath.Join(t.TempDir(), ".env")
	const site = "BROADCAST_CONNECTION=log\nREVERB_APP_ID=1\nREVERB_APP_KEY=0123456789\nREVERB_APP_SECRET=abcdefghijklmnopqrst\nREVERB_HOST=127.0.0.1\nREVERB_PORT=1\nREVERB_SCHEME=http\nREVERB_SERVER_PORT=1\n"
	if err := os.WriteFile(env, []byte(site), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"failure", nil, exitFailures, ".env:1: BROADCAST_CONNECTION=reverb"},
		{"no URL", []string{"--url", "shop.test"}, exitError, "--url"},
		{"no such application", []string{"--app", "7"}, exitError, "no such application"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			p := process{stdin: strings.NewReader(""), stdout: &out, stderr: &out, notify: func(chan<- os.Signal, ...os.Signal) {}, forget: func(chan<- os.Signal) {}}
			code := run(append([]string{"reverb", "doctor", "--env-file", env}, c.args...), p)
			if code != c.code || !strings.Contains(out.String(), c.want) {
				t.Errorf("exit code %d, want %d with %q:\n%s", code, c.code, c.want, out.String())
			}
			if strings.Contains(out.String(), "abcdefghijklmnopqrst") {
				t.Errorf("the secret is in\n%s", out.String())
			}
		})
	}
}
