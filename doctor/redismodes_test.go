package doctor_test

import (
	"fmt"
	"testing"

	"reverb/doctor"
	"reverb/internal/redistest"
)

func TestRedisCluster(t *testing.T) {
	c := redistest.StartCluster(t, 3)
	nodes := ""
	for _, m := range c.Addrs() {
		nodes += fmt.Sprintf("%q,", m)
	}
	r := run(t, withRedis(t, c.Addrs()[0], "cluster = true\nnodes = ["+nodes+"]\n"))
	for _, check := range []string{"redis.reach", "redis.version", "redis.acl"} {
		expect(t, r, check, doctor.OK, "")
	}
	expect(t, run(t, withRedis(t, c.Addrs()[0], "")), "redis.mode", doctor.Failure, "cluster = true")
}

func TestRedisSentinel(t *testing.T) {
	s := redistest.StartSentinels(t)
	lines := "[scaling.redis.sentinel]\nmaster = \"mymaster\"\nnodes = ["
	for _, a := range s.Addrs {
		lines += fmt.Sprintf("%q,", a)
	}
	r := run(t, withRedis(t, s.Addrs[0], lines+"]\n"))
	expect(t, r, "redis.sentinel", doctor.OK, "agree")
	expect(t, r, "redis.acl", doctor.OK, "")
	expect(t, run(t, withRedis(t, s.Addrs[0], "")), "redis.mode", doctor.Failure, "it is a sentinel")
	s.Sentinel(0).Kill()
	expect(t, run(t, withRedis(t, s.Addrs[0], lines+"]\n")), "redis.sentinel", doctor.Warning, "connection refused")
}
