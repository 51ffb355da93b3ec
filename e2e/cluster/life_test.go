package cluster_test

import (
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

func TestMaxConnectionsOfAllNodes(t *testing.T) {
	redis := redistest.Start(t)
	o := options{app: "max_connections = 3\n"}
	a, b := startNode(t, "native", redis, o), startNode(t, "native", redis, o)
	clients := []*testclient.Client{a.connect(), a.connect(), b.connect()}
	full := func(n *node) bool {
		c := testclient.Dial(t, n.Addr, key, testclient.DialOptions{})
		text, err := c.Read()
		c.Close()
		return err == nil && text == `{"event":"pusher:error","data":"{\"code\":4004,\"message\":\"Application is over connection quota\"}"}`
	}
	eventually(t, readWait, "both nodes know that three are there", func() bool { return full(a) && full(b) })
	clients[0].Close()
	eventually(t, readWait, "the other node knows that one has left", func() bool { return !full(b) })
}

// While Redis is away clients of a node hear of each other, and what is for others comes later.
func TestRedisAway(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { redisAway(t, mode) })
	}
}

// meet joins a client of each node to a cache channel without an event, and to a presence channel as the members 1 and 2.
func meet(a, b *node, room, den string) (x, y *testclient.Client) {
	x, y = a.connect(), b.connect()
	for _, c := range []*testclient.Client{x, y} {
		c.Join(secret, room, "")
		c.Event("pusher:cache_miss")
	}
	x.Join(secret, den, member(1))
	y.Join(secret, den, member(2))
	x.Expect(added(den, 2))
	return x, y
}

func redisAway(t *testing.T, mode string) {
	redis := redistest.Start(t)
	scrape := "127.0.0.1:" + redistest.FreePort(t)
	a := startNode(t, mode, redis, options{scaling: fmt.Sprintf("[metrics]\nlisten = %q\n", scrape)})
	b := startNode(t, mode, redis, options{})
	room, den := "cache-away", "presence-away"
	x, y := meet(a, b, room, den)

	redis.Stop()
	eventually(t, readWait, "both nodes are degraded", func() bool { return degraded(t, a) && degraded(t, b) })
	testclient.Do(t, nil, http.MethodGet, "http://"+a.Addr+"/up", "").Expect(t, http.StatusOK, `{"health":"OK"}`)
	if got := metric(t, scrape, "reverb_relay_up"); got != "0" {
		t.Errorf("reverb_relay_up is %q", got)
	}
	a.publish(room, "while away", "")
	x.Expect(event(room, "while away"))
	near := a.connect() // of this node only, at once
	near.Join(secret, den, member(3))
	x.Expect(added(den, 3))
	answer := a.get("/channels/"+den, nil).Expect(t, http.StatusOK, `{"occupied":true}`)
	if got := answer.Header.Get("Reverb-Partial"); got == "" {
		t.Error("an answer of one node does not say that it is partial")
	}

	redis.Restart()
	eventually(t, 15*time.Second, "both nodes are back", func() bool { return !degraded(t, a) && !degraded(t, b) })
	var came []string
	for range 2 { // in any order
		text, err := y.Read()
		if err != nil {
			t.Fatalf("after the return of Redis: %v, came %q", err, came)
		}
		came = append(came, text)
	}
	if want := event(room, "while away"); came[0] != want && came[1] != want {
		t.Errorf("came %q, want %s among them", came, want)
	}
	if want := added(den, 3); came[0] != want && came[1] != want {
		t.Errorf("came %q, want %s among them", came, want)
	}
	eventually(t, 15*time.Second, "the roster is whole", func() bool {
		return b.get("/channels/"+den+"/users", nil).Body != `{"users":[]}` && b.get("/channels/"+den, nil).Header.Get("Reverb-Partial") == ""
	})
	z := b.connect()
	z.Join(secret, room, "")
	z.Expect(event(room, "while away"))
	x.Quiet()
	y.Quiet()
}

// degraded asks a balancer's question.
func degraded(t testing.TB, n *node) bool {
	t.Helper()
	answer := testclient.Do(t, nil, http.MethodGet, "http://"+n.Addr+"/ready", "")
	switch {
	case answer.Status == http.StatusOK && answer.Body == `{"ready":true}`:
		return false
	case answer.Status == http.StatusOK && answer.Body == `{"ready":true,"degraded":true}`:
		return true
	}
	t.Fatalf("/ready answers %d %s", answer.Status, answer.Body)
	return false
}

// A node is stopped, as in a rolling restart, and its clients come back on another: nobody is told anything.
func TestRollingRestart(t *testing.T) {
	const users = 20
	redis := redistest.Start(t)
	a, b := startNode(t, "native", redis, options{}), startNode(t, "native", redis, options{})
	den := "presence-rolling"
	watcher := b.connect()
	watcher.Join(secret, den, member(1000))
	var clients []*testclient.Client
	for i := range users {
		c := a.connect()
		c.Join(secret, den, member(i+1))
		watcher.Expect(added(den, i+1))
		clients = append(clients, c)
	}
	a.Signal(syscall.SIGTERM)
	closed := make(chan int, users)
	for i, c := range clients {
		go func() {
			for { // announcements, until the close
				if _, err := c.Read(); err != nil {
					break
				}
			}
			closed <- i
		}()
	}
	for range clients {
		if i := <-closed; i > 0 { // one does not come back
			b.connect().Join(secret, den, member(i+1))
		}
	}
	if code := a.ExitCode(); code != 0 {
		t.Errorf("exit code %d\n%s", code, a.Output())
	}
	watcher.Expect(removed(den, 1)) // after the grace, and nothing before
	watcher.Quiet()
}

// A node is killed: its members leave within 15 s, each once, and nobody else does.
func TestKilledNode(t *testing.T) {
	redis := redistest.Start(t)
	a, b := startNode(t, "native", redis, options{}), startNode(t, "native", redis, options{})
	den := "presence-killed"
	watcher := b.connect()
	watcher.Join(secret, den, member(1))
	both := b.connect()
	both.Join(secret, den, member(2))
	watcher.Expect(added(den, 2))
	a.connect().Join(secret, den, member(2)) // on both nodes
	a.connect().Join(secret, den, member(3))
	watcher.Expect(added(den, 3))
	a.Kill()
	eventually(t, 15*time.Second, "the member of the killed node has left", func() bool {
		return b.get("/channels/"+den+"/users", nil).Body == `{"users":[{"id":1},{"id":2}]}`
	})
	watcher.Expect(removed(den, 3))
	watcher.Quiet()

	answer := b.get("/connections", nil).Expect(t, http.StatusOK, `{"connections":2}`)
	if got := answer.Header.Get("Reverb-Partial"); got != "" {
		t.Errorf("the dead node is still waited for: %s", got)
	}
}

// All nodes are killed, and one starts again: who does not come back leaves, as if the node had lived on.
func TestNoGhostsAfterAllNodesDied(t *testing.T) {
	redis := redistest.Start(t)
	o := options{scaling: "lease = 3\n"}
	a := startNode(t, "native", redis, o)
	den := "presence-ghosts"
	a.connect().Join(secret, den, member(1))
	a.connect().Join(secret, den, member(2))
	a.Kill()
	b := startNode(t, "native", redis, o)
	c := b.connect()
	c.Join(secret, den, member(1))
	c.Expect(removed(den, 2))
	c.Quiet()
	b.get("/channels/"+den+"/users", nil).Expect(t, http.StatusOK, `{"users":[{"id":1}]}`)
}
