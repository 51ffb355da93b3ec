package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"reverb/config"
)

func TestRedisServers(t *testing.T) {
	files := map[string]string{"empty.pem": ""}
	read := func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, errors.New("no such file")
		}
		return []byte(text), nil
	}
	for name, test := range map[string]struct {
		redis         config.Redis
		addrs         []string
		tls, sentinel bool
		err           string
	}{
		"one":             {redis: config.Redis{Host: "h", Port: 1, Database: "3"}, addrs: []string{"h:1"}},
		"a cluster":       {redis: config.Redis{Database: "0", Cluster: true, Nodes: []string{"a:1", "b:1"}}, addrs: []string{"a:1", "b:1"}},
		"encrypted":       {redis: config.Redis{Host: "h", Port: 1, Database: "0", Encrypted: true}, addrs: []string{"h:1"}, tls: true},
		"sentinels alone": {redis: config.Redis{Host: "h", Port: 1, Database: "0", Sentinel: config.Sentinel{Encrypted: true}}, addrs: []string{"h:1"}, sentinel: true},
		"large database":  {redis: config.Redis{Database: "99999999999999999999"}, err: "scaling.redis.database"},
		"no file":         {redis: config.Redis{Database: "0", Encrypted: true, TLS: config.RedisTLS{CA: "none.pem"}}, err: "scaling.redis.tls.ca: no such file"},
		"no certificate":  {redis: config.Redis{Database: "0", Encrypted: true, TLS: config.RedisTLS{CA: "empty.pem"}}, err: "there is no certificate"},
		"no key":          {redis: config.Redis{Database: "0", Encrypted: true, TLS: config.RedisTLS{Cert: "empty.pem", Key: "x"}}, err: "scaling.redis.tls.key: no such file"},
		"plain":           {redis: config.Redis{Host: "h", Port: 1, Database: "0", TLS: config.RedisTLS{CA: "none.pem"}}, addrs: []string{"h:1"}},
	} {
		got, err := test.redis.Servers(read)
		switch {
		case test.err != "":
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%s: got error %v, want %s", name, err, test.err)
			}
		case err != nil || !slices.Equal(got.Addrs, test.addrs) || (got.TLS != nil) != test.tls || (got.SentinelTLS != nil) != test.sentinel:
			t.Errorf("%s: got %+v, error %v", name, got, err)
		}
	}
}

func TestMessageLimit(t *testing.T) {
	for _, test := range []struct{ app, ceiling, want int64 }{{0, 100, 100}, {10, 100, 10}, {200, 100, 100}, {100, 100, 100}} {
		a := config.App{MaxMessageSize: test.app}
		if got := a.MessageLimit(test.ceiling); got != test.want {
			t.Errorf("%d of at most %d: got %d, want %d", test.app, test.ceiling, got, test.want)
		}
	}
}
