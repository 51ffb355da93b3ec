package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

func TestPrefix(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "/": "", " / ": "", "ws": "/ws", "/ws": "/ws", "/ws/": "/ws", "a/b": "/a/b", " //a/b// ": "/a/b",
	} {
		if got := (config.Server{Path: path}).Prefix(); got != want {
			t.Errorf("Prefix of %q = %q, want %q", path, got, want)
		}
	}
}

func TestAddress(t *testing.T) {
	for host, want := range map[string]string{
		"0.0.0.0": "0.0.0.0:80", "::1": "[::1]:80", "[::1]": "[::1]:80", "localhost": "localhost:80",
	} {
		if got := (config.Server{Host: host, Port: 80}).Address(); got != want {
			t.Errorf("Address of %q = %q, want %q", host, got, want)
		}
	}
}

func TestDefaultIsWhatLoadMakesOfNothing(t *testing.T) {
	loaded := load(t, "", credentials...)
	want := config.Default()
	want.Apps = config.Apps{config.NewApp("1", "k", "s")}
	if got, w := plain(loaded), plain(want); !slices.Equal(got, w) {
		t.Errorf("Load = %v\nwant %v", got, w)
	}
}

func TestEffectiveHasNoSecret(t *testing.T) {
	const pw = "s3cr3t"
	c := load(t, "[server.tls]\ncert = \"c\"\npassphrase = \"s3cr3t\"\n"+
		"[[apps]]\napp_id = 1\nkey = \"k\"\nsecret = \"s3cr3t\"\n"+
		"[scaling.redis]\npassword = \"s3cr3t\"\nurl = \"redis://u:s3cr3t@h/1\"\n")
	if all := fmt.Sprint(c.Effective()); strings.Contains(all, pw) {
		t.Errorf("Effective tells the secret:\n%s", all)
	}
	for key, want := range map[string]string{
		"server.tls.passphrase": "********",
		"apps[0].key":           `"k"`,
		"apps[0].secret":        "********",
		"scaling.redis.url":     `"redis://u:********@h/1"`,
		"scaling.redis.host":    `"h"`,
	} {
		if got := value(t, c, key).Value; got != want {
			t.Errorf("%s = %s, want %s", key, got, want)
		}
	}
	if got := value(t, c, "scaling.redis.host").Source; !strings.HasSuffix(got, "config.toml:10") {
		t.Errorf("source of the host = %s, want the line of the URL", got)
	}
	if got := value(t, config.Default(), "scaling.redis.password").Value; got != `""` {
		t.Errorf("no password is shown as %s", got)
	}
}

func TestKeyLines(t *testing.T) {
	const text = `# comment [no]
top = """
line = 1
"""""
"quoted.key" . 'b' = 'it\'
[server] # [x]
port = 1
limits.max = [
  1, # 2]
  "]",
]
inline = { a = 1, b.c = { d = "}" } }
multi = '''
x = 1'''
[[apps]]
key = "\"" # "
[apps.rate_limiting]
enabled = true
[[apps]]
rate_limiting = {
  enabled = true }
[ last . one ]
z=1`
	want := map[string]int{
		"top": 2, "quoted.key": 5, "quoted.key.b": 5,
		"server": 6, "server.port": 7, "server.limits": 8, "server.limits.max": 8, "server.limits.max[0]": 9, "server.limits.max[1]": 10,
		"server.inline": 12, "server.inline.a": 12, "server.inline.b": 12, "server.inline.b.c": 12, "server.inline.b.c.d": 12,
		"server.multi": 13,
		"apps":         15, "apps[0]": 15, "apps[0].key": 16, "apps[0].rate_limiting": 17, "apps[0].rate_limiting.enabled": 18,
		"apps[1]": 19, "apps[1].rate_limiting": 20, "apps[1].rate_limiting.enabled": 21,
		"last": 22, "last.one": 22, "last.one.z": 23,
	}
	got := config.KeyLinesForTest(text)
	for path, line := range want {
		if got[path] != line {
			t.Errorf("line of %s = %d, want %d", path, got[path], line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("paths %v, want %v", got, want)
	}
}
