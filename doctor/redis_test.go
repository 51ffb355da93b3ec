package doctor_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/doctor"
	"reverb/internal/redistest"
)

// withRedis are options of a site with scaling; lines are added to [scaling.redis].
func withRedis(t *testing.T, address, lines string) doctor.Options {
	t.Helper()
	host, port, _ := strings.Cut(address, ":")
	o := options(t, site, fmt.Sprintf("[scaling]\nenabled = true\n[scaling.redis]\nhost = %q\nport = %s\n%s", host, port, lines))
	if o.ConfigError != nil {
		t.Fatal(o.ConfigError)
	}
	o.Probes.Dial = doctor.System().Dial
	o.URL = "http://127.0.0.1:1" // nothing of the site's own is looked for
	return o
}

func TestRedis(t *testing.T) {
	s := redistest.Start(t, "--requirepass", "the-password")
	const password = "password = \"the-password\"\n"
	r := run(t, withRedis(t, s.Addr, password))
	for _, check := range []string{"redis.reach", "redis.version", "redis.latency", "redis.memory", "redis.acl", "clock.redis"} {
		expect(t, r, check, doctor.OK, "")
	}
	for _, f := range r.Findings {
		if strings.Contains(f.What+strings.Join(f.Fix, ""), "the-password") {
			t.Errorf("the password is in %+v", f)
		}
	}
	if got := s.Do("DBSIZE"); fmt.Sprint(got) != "0" {
		t.Errorf("%v keys were written", got)
	}
	expect(t, run(t, withRedis(t, s.Addr, "")), "redis.reach", doctor.Failure, "REDIS_PASSWORD")
	expect(t, run(t, withRedis(t, s.Addr, "password = \"wrong-one\"\n")), "redis.reach", doctor.Failure, "WRONGPASS")
	expect(t, run(t, withRedis(t, s.Addr, password+"cluster = true\n")), "redis.mode", doctor.Failure, "cluster = false")
	expect(t, run(t, withRedis(t, s.Addr, password+"database = \"99\"\n")), "redis.reach", doctor.Failure, "REDIS_DB")
	expect(t, run(t, withRedis(t, s.Addr, password+"[scaling.redis.tls]\ninsecure = true\n")), "redis.reach", doctor.Failure, "TLS")

	s.Do("CONFIG", "SET", "maxmemory", "100mb")
	s.Do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	expect(t, run(t, withRedis(t, s.Addr, password)), "redis.memory", doctor.Warning, "noeviction")

	s.Do("ACL", "SETUSER", "narrow", "on", ">narrow-password", "~reverb:*", "&reverb:*", "+@all", "-@dangerous", "-eval", "-zadd")
	r = run(t, withRedis(t, s.Addr, "username = \"narrow\"\npassword = \"narrow-password\"\n"))
	expect(t, r, "redis.acl", doctor.Failure, "EVAL, ZADD")
	expect(t, r, "redis.memory", doctor.Skipped, "INFO")
	s.Do("ACL", "SETUSER", "foreign", "on", ">foreign-password", "~other:*", "&other:*", "+@all")
	expect(t, run(t, withRedis(t, s.Addr, "username = \"foreign\"\npassword = \"foreign-password\"\n")), "redis.acl", doctor.Failure, "&reverb:*")

	s.Kill()
	expect(t, run(t, withRedis(t, s.Addr, password)), "redis.reach", doctor.Failure, "REDIS_HOST")
}

func TestRedisOff(t *testing.T) {
	expect(t, run(t, options(t, site, "")), "redis.reach", doctor.Skipped, "scaling is off")
}

// FuzzRedisAnswer: whatever stands at the port of Redis, its bytes are an answer or an error.
func FuzzRedisAnswer(f *testing.F) {
	for _, seed := range []string{"+OK\r\n", "-NOPERM no\r\n", ":12\r\n", "$3\r\nabc\r\n", "$-1\r\n", "*2\r\n+a\r\n:1\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n+x\r\n", "HTTP/1.1 400 Bad Request\r\n", "$999999999\r\n", "\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(_ *testing.T, text string) { doctor.ReadRedisForTest(text) })
}
