package config_test

import (
	"fmt"
	"testing"
)

func TestProxies(t *testing.T) {
	c := load(t, "[server]\ntrusted_proxies = [\"127.0.0.1/32\", \"10.1.2.3/8\", \"::1\", \"::ffff:192.0.2.1\", \"fd00::/8\"]\nproxy_protocol = true\n", credentials...)
	if got, want := fmt.Sprint(c.Server.Proxies()), "[127.0.0.1/32 10.0.0.0/8 ::1/128 192.0.2.1/32 fd00::/8]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if none := load(t, "", credentials...); len(none.Server.Proxies()) > 0 || none.Server.ProxyProtocol {
		t.Errorf("by default %v, %v", none.Server.Proxies(), none.Server.ProxyProtocol)
	}
}
