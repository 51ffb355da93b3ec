package redistest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// slotCount is how many hash slots a Redis Cluster has.
const slotCount = 16384

// Cluster is a Redis Cluster of masters, with replicas when StartClusterWithReplicas made it.
type Cluster struct {
	Nodes    []*Server
	Replicas []*Server // Replicas[i] is that of Nodes[i]

	t testing.TB
}

// StartCluster starts a cluster of n masters that share the slots evenly and waits until it is ok.
func StartCluster(t testing.TB, n int, args ...string) *Cluster {
	t.Helper()
	return startCluster(t, n, false, args...)
}

// StartClusterWithReplicas starts a cluster in which each of the n masters has a replica.
func StartClusterWithReplicas(t testing.TB, n int, args ...string) *Cluster {
	t.Helper()
	return startCluster(t, n, true, args...)
}

func startCluster(t testing.TB, n int, replicas bool, args ...string) *Cluster {
	t.Helper()
	args = append([]string{
		"--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-replica-validity-factor", "0",
		"--repl-diskless-sync-delay", "0",
	}, args...)
	c := &Cluster{t: t}
	for range n {
		c.Nodes = append(c.Nodes, c.node(args))
		if replicas {
			c.Replicas = append(c.Replicas, c.node(args))
		}
	}
	for i, node := range c.Nodes {
		node.must("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		node.must("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slotCount/n), strconv.Itoa((i+1)*slotCount/n-1))
	}
	c.meet()
	for i, replica := range c.Replicas {
		id := c.Nodes[i].ID()
		c.eventually("the replica to know its master", func() bool { _, failed := replica.Do("CLUSTER", "REPLICATE", id).(error); return !failed })
	}
	for _, node := range c.all() {
		node.await("cluster_state:ok", "CLUSTER", "INFO")
	}
	for i := range c.Replicas {
		c.eventually("a replica to be in sync", func() bool {
			info, _ := c.Nodes[i].Do("INFO", "replication").(string)
			return strings.Contains(info, "state=online")
		})
	}
	return c
}

// node starts a server whose bus is on a free port: port+10000 of an ephemeral port may be none.
func (c *Cluster) node(args []string) *Server {
	c.t.Helper()
	return Start(c.t, append(args[:len(args):len(args)], "--cluster-port", FreePort(c.t))...)
}

func busPort(s *Server) string {
	for i, a := range s.args {
		if a == "--cluster-port" {
			return s.args[i+1]
		}
	}
	return strconv.Itoa(atoi(s.Port()) + 10000)
}

func (c *Cluster) all() []*Server { return append(c.Nodes[:len(c.Nodes):len(c.Nodes)], c.Replicas...) }

// meet introduces the nodes to each other, again when they do not know each other after a while: on a busy machine a handshake takes longer
// than Redis waits for it.
func (c *Cluster) meet() {
	c.t.Helper()
	known := fmt.Sprintf("cluster_known_nodes:%d\r", len(c.all()))
	for range 10 {
		for _, node := range c.all()[1:] {
			c.Nodes[0].must("CLUSTER", "MEET", "127.0.0.1", node.Port(), busPort(node))
		}
		if Eventually(2*time.Second, func() bool {
			return !slices.ContainsFunc(c.all(), func(node *Server) bool {
				info, _ := node.Do("CLUSTER", "INFO").(string)
				return !strings.Contains(info, known)
			})
		}) {
			return
		}
	}
	c.t.Fatal("the nodes of the cluster do not know each other")
}

func (c *Cluster) eventually(what string, ok func() bool) {
	c.t.Helper()
	if !Eventually(15*time.Second, ok) {
		c.t.Fatalf("waited too long for %s", what)
	}
}

// Addrs are those of the masters.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		addrs[i] = node.Addr
	}
	return addrs
}

// ID is a cluster node's name.
func (s *Server) ID() string {
	s.t.Helper()
	id, _ := s.must("CLUSTER", "MYID").(string)
	return id
}

// Owner is the node that the slot belongs to, as that node says.
func (c *Cluster) Owner(slot int) *Server {
	c.t.Helper()
	for _, node := range c.Nodes {
		if c.owns(node, slot) {
			return node
		}
	}
	c.t.Fatalf("nobody has slot %d", slot)
	return nil
}

func (c *Cluster) owns(node *Server, slot int) bool {
	nodes, _ := node.Do("CLUSTER", "NODES").(string)
	for line := range strings.Lines(nodes) {
		fields := strings.Fields(line)
		if len(fields) < 8 || !strings.Contains(fields[2], "myself") {
			continue
		}
		for _, r := range fields[8:] {
			first, last, isRange := strings.Cut(r, "-")
			if !isRange {
				last = first
			}
			if from, err := strconv.Atoi(first); err == nil && from <= slot && slot <= atoi(last) {
				return true
			}
		}
	}
	return false
}

// MoveSlot migrates a slot, keys included, to the node.
func (c *Cluster) MoveSlot(slot int, to *Server) {
	c.t.Helper()
	from := c.StartMove(slot, to)
	if from == nil {
		return
	}
	for c.MoveKeys(slot, from, to) {
		continue
	}
	c.FinishMove(slot, to)
}

// StartMove begins a migration: the slot's keys are neither here nor there. It returns who had it, nil when the node has it already.
func (c *Cluster) StartMove(slot int, to *Server) (from *Server) {
	c.t.Helper()
	from = c.Owner(slot)
	if from == to {
		return nil
	}
	n := strconv.Itoa(slot)
	to.must("CLUSTER", "SETSLOT", n, "IMPORTING", from.ID())
	from.must("CLUSTER", "SETSLOT", n, "MIGRATING", to.ID())
	return from
}

// MoveKeys moves up to 100 keys of the slot, and says whether there were any.
func (c *Cluster) MoveKeys(slot int, from, to *Server) bool {
	c.t.Helper()
	keys, _ := from.must("CLUSTER", "GETKEYSINSLOT", strconv.Itoa(slot), "100").([]any)
	if len(keys) == 0 {
		return false
	}
	args := []string{"MIGRATE", "127.0.0.1", to.Port(), "", "0", "5000"}
	if to.password != "" {
		args = append(args, "AUTH", to.password)
	}
	args = append(args, "KEYS")
	for _, k := range keys {
		args = append(args, k.(string))
	}
	from.must(args...)
	return true
}

// FinishMove gives the slot to the node: it first, then the others are told.
func (c *Cluster) FinishMove(slot int, to *Server) {
	c.t.Helper()
	n, id := strconv.Itoa(slot), to.ID()
	to.must("CLUSTER", "SETSLOT", n, "NODE", id)
	for _, node := range c.Nodes {
		if node != to && node.cmd != nil {
			node.must("CLUSTER", "SETSLOT", n, "NODE", id)
		}
	}
}
