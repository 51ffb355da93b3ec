package cluster_test

import (
	"testing"
	"time"

	"reverb/internal/redistest"
)

// The nodes reach Redis by one address, behind which the replica takes the primary's place. Nobody tells them.
func TestFailoverBehindOneAddress(t *testing.T) {
	redis := redistest.StartPair(t)
	start := func() *node {
		o := hasty(redis.Addr)
		o.Lease = time.Second
		return startNodeWith(t, nil, o)
	}
	a, b := start(), start()
	a.join(channel, "u1")
	b.join(channel, "u2")
	sees(t, "u1 u2", a, b)

	redis.Failover()
	eventually(t, "the old primary is left alone", func() string {
		if redis.Replica.Clients() > 0 || redis.Primary.Clients() < 4 {
			return "not yet"
		}
		return ""
	})
	a.join(channel, "u3")
	b.join(channel, "u4")
	sees(t, "u1 u2 u3 u4", a, b)

	c := start() // as one that was restarted
	c.join(channel, "u5")
	sees(t, "u1 u2 u3 u4 u5", a, b, c)
	a.leave(channel, "u1")
	sees(t, "u2 u3 u4 u5", a, b, c)
	a.leave(channel, "u3")
	b.leave(channel, "u2", "u4")
	c.leave(channel, "u5")
	emptied(t, redis.Primary)
}

// Redis is there and refuses what the nodes need: they are not up.
func TestRefusalIsTold(t *testing.T) {
	redis := redistest.Start(t)
	a := startNode(t, redis)
	refused := func(want bool) {
		t.Helper()
		eventually(t, "the status", func() string {
			s := a.relay.Status()
			if told := !s.Up && s.Refused == "OOM" && s.Err != ""; told != want || want == s.Up {
				return "not yet"
			}
			return ""
		})
	}
	refused(false)
	redis.Must("CONFIG", "SET", "maxmemory", "1")
	refused(true)
	redis.Must("CONFIG", "SET", "maxmemory", "0")
	refused(false)
}
