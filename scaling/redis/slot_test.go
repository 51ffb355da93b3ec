package redis_test

import (
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling/redis"
)

func TestSlots(t *testing.T) {
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t))
	for _, name := range []string{"", "a", "123456789", "{", "{}", "{}a", "a{b}c", "a{b}c{d}", "{a", "a}b", "a{{b}}", "reverb:{app/presence-x}:g", "{ü}"} {
		if got, want := int64(redis.SlotOf(name)), server.Do("CLUSTER", "KEYSLOT", name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
