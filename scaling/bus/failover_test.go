package bus_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// A node that has nothing to do finds out by itself that the server which it is connected to is a replica now, which serves subscriptions
// and takes publications as if nothing had happened.
func TestFollowsAFailoverBehindOneAddress(t *testing.T) {
	t.Parallel()
	redis := redistest.StartPair(t)
	from, to := up(t, bus.Options{Addrs: []string{redis.Addr}}), up(t, bus.Options{Addrs: []string{redis.Addr}})
	to.subscribe("x")

	redis.Failover()
	start := time.Now()
	for _, p := range []*peer{from, to} {
		p.await("the new primary", func() bool { return p.history() == "up, down, up" })
	}
	t.Logf("both nodes are at the new primary %v after the old one was its replica", time.Since(start))
	if n := redis.Replica.Clients(); n > 0 {
		t.Errorf("%d connections to the old primary are left", n)
	}
	from.publish("x", "m")
	to.await("a message through the new primary", func() bool { return slices.Equal(to.messages("x"), []string{"m"}) })
}

// While the address leads to the replica nothing is taken for sent.
func TestWaitsForAPrimary(t *testing.T) {
	t.Parallel()
	redis := redistest.StartPair(t)
	p := up(t, bus.Options{Addrs: []string{redis.Addr}, Settle: -1})
	p.subscribe("x")
	redis.Promote()
	p.await("the reason", func() bool {
		s := p.State()
		return !s.Up && s.Err != nil && strings.Contains(s.Err.Error(), "replica")
	})
	p.publish("x", "m")
	redis.Redirect(redis.Primary.Addr)
	p.await("the message", func() bool { return slices.Equal(p.messages("x"), []string{"m"}) })
}

// A command that a replica refuses is as good as a question: nobody waits for the next one.
func TestReadonlyEndsTheLink(t *testing.T) {
	t.Parallel()
	redis := redistest.StartPair(t)
	p := up(t, bus.Options{Addrs: []string{redis.Addr}})
	redis.Failover()
	script := bus.NewScript(`return redis.call("SET", KEYS[1], "v")`)
	done := make(chan bus.Reply, 1)
	p.Do(bus.Command{Script: script, Keys: []string{"k"}}, func(r bus.Reply) { done <- r })
	if r := receive(t, done); !errors.Is(r.Err(), bus.ErrDown) {
		t.Errorf("got %v", r.Err())
	}
	p.await("the new primary", func() bool { return p.history() == "up, down, up" })
	if r := p.do(bus.Command{Script: script, Keys: []string{"k"}}); r.Err() != nil {
		t.Errorf("on the new primary: %v", r.Err())
	}
}

// What Redis refuses although it is there is told while it lasts.
func TestTellsWhatRedisRefuses(t *testing.T) {
	t.Parallel()
	const rules = "on nopass ~* &* +@all"
	write := bus.Command{Script: bus.NewScript(`return redis.call("SET", KEYS[1], "v")`), Keys: []string{"k"}}
	for code, c := range map[string]struct{ refuse, allow []string }{
		"OOM":        {[]string{"CONFIG", "SET", "maxmemory", "1"}, []string{"CONFIG", "SET", "maxmemory", "0"}},
		"NOREPLICAS": {[]string{"CONFIG", "SET", "min-replicas-to-write", "1"}, []string{"CONFIG", "SET", "min-replicas-to-write", "0"}},
		"NOPERM": {
			strings.Fields("ACL SETUSER node " + rules + " -eval -evalsha"),
			strings.Fields("ACL SETUSER node " + rules + " +eval +evalsha"),
		},
		"MISCONF": {[]string{"BGSAVE"}, []string{"CONFIG", "SET", "stop-writes-on-bgsave-error", "no"}},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			redis := redistest.Start(t, "--save", "3600 1000000", "--dir", dir)
			if err := os.Mkdir(filepath.Join(dir, "dump.rdb"), 0o700); err != nil { // it cannot save where a folder has the name of its file
				t.Fatal(err)
			}
			redis.Must(strings.Fields("ACL SETUSER node " + rules)...)
			p := up(t, bus.Options{Addrs: []string{redis.Addr}, Username: "node", Password: "any"})
			if r := p.do(write); r.Err() != nil || p.State().Refusal != nil {
				t.Fatalf("before: %v, refused %v", r.Err(), p.State().Refusal)
			}
			redis.Must(c.refuse...)
			p.await("the refusal", func() bool { return p.do(write).Err() != nil })
			s := p.State()
			if s.Refusal == nil || s.Refusal.Code != code || !s.Up || time.Since(s.Refusal.Since) > limit {
				t.Errorf("got %+v, refusal %+v", s, s.Refusal)
			}
			redis.Must(c.allow...)
			p.await("the end of it", func() bool { return p.do(write).Err() == nil && p.State().Refusal == nil })
			redis.Must("CONFIG", "SET", "save", "") // or it does not end before it has saved
		})
	}
}
