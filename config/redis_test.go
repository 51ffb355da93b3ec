package config_test

import (
	"strings"
	"testing"

	"reverb/config"
)

func TestRedisNodes(t *testing.T) {
	const on = oneApp + "[scaling]\nenabled = true\n"
	tests := map[string]struct {
		text      string
		encrypted bool
	}{
		"plain":             {"[scaling.redis]\ncluster = true\nnodes = [\"a:1\", \"redis://b:2\"]\n", false},
		"tls of a node":     {"[scaling.redis]\ncluster = true\nnodes = [\"a:1\", \"tls://b:2\"]\n", true},
		"tls by a value":    {"[scaling.redis.tls]\ninsecure = true\n", true},
		"url and a value":   {"[scaling.redis]\nurl = \"redis://h\"\n[scaling.redis.tls]\nca = \"ca.pem\"\n", true},
		"sentinels only":    {"[scaling.redis.sentinel]\nmaster = \"m\"\nnodes = [\"tls://s:3\"]\n", false},
		"sentinels and all": {"[scaling.redis]\nhost = \"tls://h\"\n[scaling.redis.sentinel]\nmaster = \"m\"\nnodes = [\"tls://s:3\"]\n", true},
	}
	for name, tt := range tests {
		r := load(t, on+tt.text).Scaling.Redis
		if r.Encrypted != tt.encrypted || r.Sentinel.Encrypted != (r.Sentinel.Master != "") {
			t.Errorf("%s: encrypted %v, sentinels %v", name, r.Encrypted, r.Sentinel.Encrypted)
		}
		for _, node := range append(r.Nodes, r.Sentinel.Nodes...) {
			if strings.Contains(node, "/") {
				t.Errorf("%s: node %q", name, node)
			}
		}
	}
}

func TestRedisThatDoesNotFit(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"cluster and sentinel": {
			"[scaling.redis]\ncluster = true\n[scaling.redis.sentinel]\nmaster = \"m\"\nnodes = [\"s:1\"]\n", "they exclude each other",
		},
		"cluster with php":  {"[scaling]\nmode = \"reverb\"\n[scaling.redis]\ncluster = true\n", "does not know Redis Cluster"},
		"database":          {"[scaling.redis]\ncluster = true\ndatabase = 3\n", `scaling.redis.database = "3": want 0`},
		"nodes alone":       {"[scaling.redis]\nnodes = [\"a:1\"]\n", "want scaling.redis.cluster = true"},
		"no port":           {"[scaling.redis]\ncluster = true\nnodes = [\"a\"]\n", `scaling.redis.nodes: "a": want host:port`},
		"no host":           {"[scaling.redis]\ncluster = true\nnodes = [\":1\"]\n", `scaling.redis.nodes: ":1": want host:port`},
		"sentinels alone":   {"[scaling.redis.sentinel]\nnodes = [\"a:1\"]\n", "and scaling.redis.sentinel.master, or neither"},
		"master alone":      {"[scaling.redis.sentinel]\nmaster = \"m\"\n", "and scaling.redis.sentinel.master, or neither"},
		"certificate alone": {"[scaling.redis.tls]\ncert = \"c.pem\"\n", "and scaling.redis.tls.cert, or neither"},
		"braces":            {"[scaling.redis]\nprefix = \"a{b}\"\n", "want no braces"},
		"short lease":       {"[scaling]\nlease = 2\n", "scaling.lease = 2: want a whole number of seconds from 3"},
	}
	for name, tt := range tests {
		_, err := config.Load(source(t, oneApp+tt.text, "REVERB_SCALING_ENABLED=true"))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
		if name == "short lease" {
			continue
		}
		if _, err := config.Load(source(t, oneApp+tt.text)); err != nil {
			t.Errorf("%s, while scaling is off: %v", name, err)
		}
	}
}
