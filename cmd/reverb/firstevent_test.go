package main

import (
	"strings"
	"testing"
)

// How to see a first event is said with the port and the key that are in force.
func TestFirstEventIsSaid(t *testing.T) {
	for server, address := range map[string]string{
		"":                                       "PORT",
		"path = \"ws\"":                          "ws://127.0.0.1:PORT/ws",
		"host = \"0.0.0.0\"":                     "PORT",
		"host = \"[::1]\"":                       "ws://%5B::1%5D:PORT",
		"host = \"127.0.0.2\"\npath = \"/a/b/\"": "ws://127.0.0.2:PORT/a/b",
	} {
		t.Run(server, func(t *testing.T) {
			conf := oneApp(server)
			if strings.HasPrefix(server, "host") {
				conf = strings.Replace(conf, "host = \"127.0.0.1\"\n", "", 1)
			}
			r := launch(t, conf, "--first-event", "/docs/first-event.html")
			port := r.out.until(t, `Starting server on \S+:(\d+)`)[1]
			want := "Open file:///docs/first-event.html#app-key@" + strings.Replace(address, "PORT", port, 1) + "\n"
			r.out.until(t, "Open file.*\n")
			if !strings.Contains(r.out.String(), want) {
				t.Errorf("got %s\nwant %s", r.out, want)
			}
			r.stop(t)
		})
	}
}

func TestFirstEventIsNotSaidOfAStartThatFailed(t *testing.T) {
	first := startForTest(t, "")
	taken := strings.Replace(oneApp(""), "port = 0", "port = "+first.port(), 1)
	second := launch(t, taken, "--first-event", "docs/first-event.html")
	if code := second.ended(t); code == 0 || strings.Contains(second.out.String(), "first-event") {
		t.Errorf("exit code %d, said %s", code, second.out)
	}
	first.stop(t)
}
