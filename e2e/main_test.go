// Package e2e_test drives the real program as its users do. The numbers that begin the names of subtests are the lines of
// docs/internal/checklist.md, the list of what Laravel Reverb's own tests promise.
package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"reverb/internal/testclient"
)

// bin is the program under test, built once.
var bin string

func TestMain(m *testing.M) {
	os.Exit(testclient.WithProgram(func(dir, program string) int {
		var err error
		if bin, err = scaled(dir, program); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}))
}

// redisPort is where REVERB_E2E_REDIS says that a Redis is; empty: none. With one every node of the tests is a node of a cluster: what
// holds for a node alone holds for it too.
var redisPort = os.Getenv("REVERB_E2E_REDIS")

// stopCode closes the clients of a server that stops: a node alone sends them away for a second, one of several to another node.
func stopCode() int {
	if redisPort == "" {
		return 1001
	}
	return 4200
}

// scaled wraps the program so that it joins the cluster, which is empty each time: the tests end their servers the hard way.
func scaled(dir, program string) (string, error) {
	if redisPort == "" {
		return program, nil
	}
	wrapper := filepath.Join(dir, "scaled")
	script := "#!/bin/sh\n" +
		"[ \"$1\" = start ] && redis-cli -p " + redisPort + " flushall >/dev/null\n" +
		"REVERB_SCALING_ENABLED=true REDIS_HOST=127.0.0.1 REDIS_PORT=" + redisPort + " exec " + program + " \"$@\"\n"
	return wrapper, os.WriteFile(wrapper, []byte(script), 0o700)
}

// The three applications of Reverb's own test set-up.
const threeApps = `
[server]
host = "127.0.0.1"
port = 0
%s
[[apps]]
app_id = "123456"
key = "reverb-key"
secret = "reverb-secret"
%s
[[apps]]
app_id = "654321"
key = "reverb-key-2"
secret = "reverb-secret-2"
ping_interval = 10
max_message_size = 1_000_000
max_connections = 1

[[apps]]
app_id = "987654"
key = "reverb-key-3"
secret = "reverb-secret-3"
allowed_origins = ["laravel.com"]
ping_interval = 10
max_message_size = 1
`

const (
	key    = "reverb-key"
	secret = "reverb-secret"
)

// start runs a server with the three applications; server and app are lines added to [server] and to the first app.
func start(t *testing.T, server, app string) *testclient.Server {
	t.Helper()
	return testclient.Start(t, bin, testclient.Options{Config: fmt.Sprintf(threeApps, server, app)})
}

// firstApp is the HTTP side of the first application.
func firstApp(s *testclient.Server) testclient.App {
	return testclient.App{ID: "123456", Key: key, Secret: secret, Base: "http://" + s.Addr}
}

// member is channel_data of a user with a name.
func member(id int, name string) string {
	return fmt.Sprintf(`{"user_id":%d,"user_info":{"name":"%s"}}`, id, name)
}

func succeeded(channel string) string {
	return `{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"` + channel + `"}`
}

const refusedSubscribe = `{"event":"pusher:error","data":"{\"code\":4009,\"message\":\"Connection is unauthorized\"}"}`
