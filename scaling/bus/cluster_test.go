package bus_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

func clusterAt(c *redistest.Cluster) bus.Options {
	return bus.Options{Addrs: c.Addrs()[:1], Cluster: true}
}

// slotOf is the slot of a name, as Redis says.
func slotOf(t *testing.T, c *redistest.Cluster, name string) int {
	t.Helper()
	slot, ok := c.Nodes[0].Do("CLUSTER", "KEYSLOT", name).(int64)
	if !ok {
		t.Fatalf("no slot of %s", name)
	}
	return int(slot)
}

// namesOf are n names of each node of the cluster.
func namesOf(t *testing.T, c *redistest.Cluster, n int) (all []string) {
	t.Helper()
	left := map[*redistest.Server]int{}
	for _, node := range c.Nodes {
		left[node] = n
	}
	for i := 0; len(all) < n*len(c.Nodes); i++ {
		name := fmt.Sprintf("P:{app/channel-%d}", i)
		if node := c.Owner(slotOf(t, c, name)); left[node] > 0 {
			left[node]--
			all = append(all, name)
		}
	}
	return all
}

func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.StartCluster(t, 3)
	t.Run("publishes and commands in order", func(t *testing.T) { testClusterOrder(t, c) })
	t.Run("connects when the cluster comes", func(t *testing.T) { testClusterComes(t, c) })
	t.Run("moves a slot", func(t *testing.T) { testMovesASlot(t, c) })
}

func testClusterOrder(t *testing.T, c *redistest.Cluster) {
	from, to := up(t, clusterAt(c)), up(t, clusterAt(c))
	names := namesOf(t, c, 2)
	to.subscribe(names...)
	script := bus.NewScript(`return redis.call("` + from.PublishCommand() + `", KEYS[1], ARGV[1])`)
	const n = 500
	for i := range n {
		for _, name := range names {
			if i%2 == 0 {
				from.publish(name, strconv.Itoa(i))
			} else {
				from.Do(bus.Command{Script: script, Keys: []string{name}, Args: []string{strconv.Itoa(i)}}, nil)
			}
		}
	}
	for _, name := range names {
		to.await("all messages of "+name, func() bool { return to.count(name) == n })
		if !slices.Equal(to.messages(name), numbers(n)) {
			t.Errorf("%s is out of order", name)
		}
		counts := make(chan int, 1)
		from.PublishCount(name, nil, func(n int, _ error) { counts <- n })
		if n := receive(t, counts); n != 1 {
			t.Errorf("%s: %d receivers, want 1", name, n)
		}
	}
	if r := from.do(bus.Command{Name: "PING"}); r.Err() != nil {
		t.Errorf("a command without a key: %v", r.Err())
	}
}

// Slots move under traffic, with their keys: nothing is lost but what came while a name was subscribed nowhere, which is told; the order holds; commands
// find their keys.
func testMovesASlot(t *testing.T, c *redistest.Cluster) {
	from, to := up(t, clusterAt(c)), up(t, clusterAt(c))
	name := namesOf(t, c, 1)[0]
	slot := slotOf(t, c, name)
	to.subscribe(name)
	incr := bus.NewScript(`redis.call("SET", KEYS[2], "x"); return redis.call("INCR", KEYS[1])`)
	keys := []string{name + ":a", name + ":b"}
	sent, done := 0, 0
	traffic := func(n int) {
		for range n {
			from.publish(name, strconv.Itoa(sent))
			sent++
			if r := from.do(bus.Command{Script: incr, Keys: keys}); r.Err() != nil {
				t.Fatalf("command %d: %v", done, r.Err())
			}
			done++
		}
	}
	traffic(50)
	for range 2 {
		for _, node := range []*redistest.Server{c.Nodes[1], c.Nodes[2], c.Nodes[0]} {
			owner := c.StartMove(slot, node)
			traffic(1) // Redis has both keys here
			for c.MoveKeys(slot, owner, node) {
				traffic(20) // and there
			}
			c.FinishMove(slot, node)
			traffic(20)
			to.await("the subscription on the new master", func() bool { return node.Subscribers(name) == 1 })
		}
	}
	last := strconv.Itoa(sent)
	from.publish(name, last)
	to.await("the last message", func() bool { return slices.Contains(to.messages(name), last) })
	previous := -1
	for _, m := range to.messages(name) {
		i, _ := strconv.Atoi(m)
		if i <= previous {
			t.Fatalf("got %d after %d", i, previous)
		}
		previous = i
	}
	if n, err := from.do(bus.Command{Script: incr, Keys: keys}).Int(); err != nil || int(n) != done+1 {
		t.Errorf("counted %d, error %v, want %d", n, err, done+1)
	}
	told := to.history()
	if got := strings.Count(told, "lapsed "+name); got != 6 {
		t.Errorf("told of %d of 6 lapses: %s", got, told)
	}
	if strings.Contains(told, "down") {
		t.Errorf("a moved slot is no outage: %s", told)
	}
}

func TestClusterFailover(t *testing.T) {
	t.Parallel()
	c := redistest.StartClusterWithReplicas(t, 3)
	t.Run("planned", func(t *testing.T) { testPlannedFailover(t, c) })
	t.Run("of a dead master", func(t *testing.T) { testFailover(t, c) })
}

// A master dies and its replica takes over: what waited is sent there, in order.
func testFailover(t *testing.T, c *redistest.Cluster) {
	from, to := up(t, clusterAt(c)), up(t, clusterAt(c))
	names := namesOf(t, c, 1)
	to.subscribe(names...)
	c.Owner(slotOf(t, c, names[0])).Kill()
	to.await("down", func() bool { return !from.Up() && !to.Up() })
	const n = 100
	for i := range n {
		for _, name := range names {
			from.publish(name, strconv.Itoa(i))
		}
	}
	to.await("up", func() bool { return from.Up() && to.Up() })
	for _, name := range names {
		to.await("all messages of "+name, func() bool { return to.count(name) >= n })
		if !slices.Equal(to.messages(name), numbers(n)) {
			t.Errorf("%s: got %v", name, to.messages(name))
		}
	}
}

// A replica takes over while the master lives on: the connections to the old master are still good, and of no use.
func testPlannedFailover(t *testing.T, c *redistest.Cluster) {
	p := up(t, clusterAt(c))
	name := namesOf(t, c, 1)[0]
	p.subscribe(name)
	owner := slices.Index(c.Nodes, c.Owner(slotOf(t, c, name)))
	successor := c.Replicas[owner]
	if err, failed := successor.Do("CLUSTER", "FAILOVER").(error); failed {
		t.Fatal(err)
	}
	sent := 0
	p.await("the subscription on the new master", func() bool {
		p.publish(name, strconv.Itoa(sent))
		sent++
		return p.Up() && successor.Subscribers(name) == 1
	})
	last := strconv.Itoa(sent)
	p.publish(name, last)
	p.await("the last message", func() bool { return slices.Contains(p.messages(name), last) })
	c.Nodes[owner], c.Replicas[owner] = successor, c.Nodes[owner]
}

func testClusterComes(t *testing.T, c *redistest.Cluster) {
	proxy := redistest.NewProxy(t, c.Nodes[0].Addr)
	proxy.Cut()
	p := connect(t, bus.Options{Addrs: []string{proxy.Addr}, Cluster: true})
	names := namesOf(t, c, 1)
	for _, name := range names {
		p.Subscribe(name, nil)
		for _, number := range numbers(100) {
			p.publish(name, number)
		}
	}
	p.await("an error", func() bool { return p.State().Err != nil })
	proxy.Heal()
	for _, name := range names {
		p.await("all messages of "+name, func() bool { return slices.Equal(p.messages(name), numbers(100)) })
	}
}
