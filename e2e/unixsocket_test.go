package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// A site may reach Redis through a Unix socket, in each of the ways that Laravel's clients have: for scaling, and for the cache with its
// restart signal.
func TestRedisOnAUnixSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "rvb") // a path of a socket has about 100 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := filepath.Join(dir, "redis.sock")
	redis := redistest.Start(t, "--unixsocket", socket)
	const signal = "cafe-database-cafe-cache-laravel:reverb:restart"
	restart := func(value string) { // in the database of the connection "cache"
		t.Helper()
		if got := redis.Do("EVAL", "redis.call('SELECT', 1) return redis.call('SET', KEYS[1], ARGV[1])", "1", signal, value); got != "OK" {
			t.Fatalf("SET: %v", got)
		}
	}
	for name, env := range map[string]string{
		"host": "REDIS_HOST=" + socket + "\nREDIS_PORT=0\n",
		"url":  "REDIS_URL=unix://" + socket + "?database=1\n",
		"path": "REDIS_CLIENT=predis\nREDIS_SCHEME=unix\nREDIS_PATH=" + socket + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			restart("1")
			env := strings.Replace(laravelEnv, "APP_NAME=Laravel", "APP_NAME=Café", 1) + env +
				"CACHE_STORE=redis\nREVERB_SCALING_ENABLED=true\nREVERB_PULSE_INGEST_INTERVAL=1\nPULSE_ENABLED=true\nPULSE_INGEST_DRIVER=redis\n"
			var nodes []*testclient.Server
			for range 2 {
				nodes = append(nodes, testclient.Start(t, bin, testclient.Options{DotEnv: env, Args: []string{"--port", freePort(t)}}))
			}
			client := testclient.Connect(t, nodes[0].Addr, key)
			client.Join(secret, "room", "")
			firstApp(nodes[1]).Post(t, "/events", anEvent).Expect(t, 200, `{}`)
			client.Expect(`{"event":"e","data":"d","channel":"room"}`)
			for _, s := range nodes {
				waitFor(t, func() bool { return strings.Contains(s.Output(), "reverb:restart` is heeded") })
			}
			doctor := exec.Command(bin, "doctor", "--json")
			doctor.Dir = nodes[0].Dir
			report, _ := doctor.Output() // other things may be wrong
			contains(t, string(report), "it is heeded: the cache store redis has ")
			restart("2")
			for _, s := range nodes {
				if code := s.ExitCode(); code != 0 || strings.Contains(s.Output(), "  WARN  ") {
					t.Errorf("exit code %d\n%s", code, s.Output())
				}
			}
		})
	}
}
