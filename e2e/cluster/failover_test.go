package cluster_test

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// failoverWait is how long it may take until nodes have found a new primary: they look each second, and dial again within another.
const failoverWait = 30 * time.Second

// The nodes know one address, behind which the primary becomes a replica. They say so, and when the address leads to the new primary they
// find each other there, and a node that is started later finds them.
func TestFailoverBehindOneAddress(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { failover(t, mode) })
	}
}

func failover(t *testing.T, mode string) {
	redis := redistest.StartPair(t)
	scrape := "127.0.0.1:" + redistest.FreePort(t)
	_, port, _ := net.SplitHostPort(redis.Addr)
	start := func(o options) *node { return startNodeAt(t, mode, "port = "+port, o) }
	a, b := start(options{scaling: fmt.Sprintf("[metrics]\nlisten = %q\n", scrape)}), start(options{})
	room, den := "cache-failover", "presence-failover"
	x, y := meet(a, b, room, den)

	redis.Promote()
	eventually(t, failoverWait, "both nodes are degraded", func() bool { return degraded(t, a) && degraded(t, b) })
	if got := metric(t, scrape, "reverb_relay_up"); got != "0" {
		t.Errorf("reverb_relay_up is %q", got)
	}
	ready := testclient.Do(t, nil, http.MethodGet, "http://"+a.Addr+"/ready", "")
	if got, want := ready.Header.Get("Reverb-Degraded"), "redis is not reached"; got != want {
		t.Errorf("Reverb-Degraded: %q, want %q", got, want)
	}
	eventually(t, readWait, "a line in the log", func() bool { return strings.Contains(a.Output(), "the server is a replica") })
	a.publish(room, "meanwhile", "")
	x.Expect(event(room, "meanwhile"))

	redis.Redirect(redis.Primary.Addr)
	y.Expect(event(room, "meanwhile"))
	eventually(t, failoverWait, "both nodes are back", func() bool { return !degraded(t, a) && !degraded(t, b) })

	c := start(options{})
	z := c.connect()
	z.Join(secret, den, member(3))
	x.Expect(added(den, 3))
	y.Expect(added(den, 3))
	b.publish(room, "after", "")
	x.Expect(event(room, "after"))
	y.Expect(event(room, "after"))
	eventually(t, failoverWait, "everybody is known everywhere", func() bool {
		for _, n := range []*node{a, b, c} {
			answer := n.get("/channels/"+den+"/users", nil)
			if strings.Count(answer.Body, `"id"`) != 3 || answer.Header.Get("Reverb-Partial") != "" {
				return false
			}
		}
		return true
	})
	x.Quiet()
	y.Quiet()
	z.Quiet()
	if n := redis.Replica.Clients(); n > 0 {
		t.Errorf("%d connections to the old primary are left", n)
	}
}

// Redis is reached and takes no writes: that is told as if it were not.
func TestRedisRefuses(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { redisRefuses(t, mode) })
	}
}

func redisRefuses(t *testing.T, mode string) {
	t.Parallel()
	redis := redistest.Start(t)
	scrape := "127.0.0.1:" + redistest.FreePort(t)
	a := startNode(t, mode, redis, options{scaling: fmt.Sprintf("[metrics]\nlisten = %q\n", scrape)})
	up := func() string { return metric(t, scrape, "reverb_relay_up") }
	eventually(t, readWait, "the node is up", func() bool { return !degraded(t, a) && up() == "1" })
	redis.Must("CONFIG", "SET", "min-replicas-to-write", "1")
	eventually(t, failoverWait, "the node is degraded", func() bool { return degraded(t, a) && up() == "0" })
	ready := testclient.Do(t, nil, http.MethodGet, "http://"+a.Addr+"/ready", "")
	if got, want := ready.Header.Get("Reverb-Degraded"), "redis refuses: NOREPLICAS"; got != want {
		t.Errorf("Reverb-Degraded: %q, want %q", got, want)
	}
	eventually(t, readWait, "a line in the log", func() bool {
		return strings.Contains(a.Output(), "redis is reached and refuses what the nodes need")
	})
	redis.Must("CONFIG", "SET", "min-replicas-to-write", "0")
	eventually(t, 2*failoverWait, "the node is up again", func() bool { return !degraded(t, a) && up() == "1" })
}
