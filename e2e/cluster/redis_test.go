package cluster_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/internal/redistest"
)

// TestKindsOfRedis is whatever Redis an operator may have, as the configuration says it.
func TestKindsOfRedis(t *testing.T) {
	kinds := []struct {
		name  string
		start func(t *testing.T) (toml string, env []string)
	}{
		{"password and prefix", func(t *testing.T) (string, []string) {
			redis := redistest.Start(t, "--requirepass", "redis-secret")
			return "prefix = \"site:a\"", []string{"REDIS_PORT=" + redis.Port(), "REDIS_PASSWORD=redis-secret", "REDIS_DB=3"}
		}},
		{"url with a user", func(t *testing.T) (string, []string) {
			redis := redistest.Start(t)
			rights := "~reverb:* &reverb:* -@all +@connection +@pubsub +@scripting +@read +@write +time" // as docs/scaling.md says
			redis.Do(append([]string{"ACL", "SETUSER", "node", "on", ">pw"}, strings.Fields(rights)...)...)
			return "", []string{"REDIS_URL=redis://node:pw@" + redis.Addr + "/1"}
		}},
		{"cluster", func(t *testing.T) (string, []string) {
			cluster := redistest.StartCluster(t, 3)
			return fmt.Sprintf("cluster = true\nnodes = [\"%s\"]", strings.Join(cluster.Addrs(), `", "`)), nil
		}},
		{"sentinel", func(t *testing.T) (string, []string) {
			s := redistest.StartSentinels(t)
			return fmt.Sprintf("[scaling.redis.sentinel]\nmaster = %q\nnodes = [\"%s\"]", redistest.MasterName, strings.Join([]string{s.Sentinel(0).Addr, s.Sentinel(1).Addr}, `", "`)), nil
		}},
		{"tls", startTLS},
	}
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			toml, env := kind.start(t)
			a, b := startNodeAt(t, "native", toml, options{}, env...), startNodeAt(t, "native", toml, options{}, env...)
			publishCell(t, a, b, "room")
			presenceCell(t, a, b, "den")
			cacheForNobodyCell(t, a, b, "last")
			countsCell(t, a, b, "counted")
		})
	}
}

// startTLS starts a Redis that asks for a certificate, too.
func startTLS(t *testing.T) (toml string, env []string) {
	cert, key, _ := redistest.Certificate(t)
	port := redistest.FreePort(t)
	redistest.Start(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert)
	return fmt.Sprintf("host = \"tls://127.0.0.1\"\nport = %s\n[scaling.redis.tls]\nca = %q\ncert = %q\nkey = %q", port, cert, cert, key), nil
}
