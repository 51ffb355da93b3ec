package chaos_test

import (
	"fmt"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"reverb/internal/redistest"
)

// everywhere are all slots.
var everywhere = []int{0, 1, 2}

// Redis is killed and comes back with nothing.
func TestRedisEmptied(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		redis, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() {
			redis.Kill()
			outage()
			redis.Restart()
		})
		tr.verdict(expectation{lossy: everywhere, ghosts: true})
	})
}

// Redis is away for longer than a lease and comes back with what it knew.
func TestRedisRestartedWithItsData(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		redis, b := single(t, mode, "--appendonly", "yes", "--appendfsync", "always")
		tr := start(t, newSite(t, b))
		tr.fail(func() {
			redis.Stop()
			<-time.After(lease() + time.Second)
			redis.Restart()
		})
		tr.verdict(expectation{lossy: everywhere})
	})
}

// Redis forgets everything without a connection being lost.
func TestRedisFlushed(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		redis, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() { redis.Do("FLUSHALL") })
		tr.verdict(expectation{ghosts: true})
	})
}

// Redis stands still and goes on.
func TestRedisStopped(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		redis, b := single(t, mode)
		tr := start(t, newSite(t, b))
		tr.fail(func() {
			redis.Pause()
			<-time.After(2 * lease())
			redis.Resume()
		})
		tr.verdict(expectation{lossy: everywhere})
	})
}

// outage is for how long a Redis that is replaced is away.
func outage() {
	if *long {
		<-time.After(5 * time.Second)
		return
	}
	<-time.After(time.Second)
}

// TestLink has the way between one node and Redis fail.
func TestLink(t *testing.T) {
	cases := []struct {
		name   string
		fail   func(*redistest.Proxy)
		d      time.Duration
		absent []int
	}{
		{"cut for a moment", (*redistest.Proxy).Cut, time.Second, nil},
		{"cut for longer than a lease", (*redistest.Proxy).Cut, 2 * lease(), []int{0}},
		{"swallows for longer than a lease", (*redistest.Proxy).Blackhole, 2*lease() + 3*time.Second, []int{0}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			repeat(t, func(t *testing.T, mode string) {
				redis, b := single(t, mode)
				proxy := redistest.NewProxy(t, redis.Addr)
				direct := b.toml
				b.toml = func(slot int) string {
					if slot == 0 {
						return fmt.Sprintf("url = %q", "redis://"+proxy.Addr)
					}
					return direct(slot)
				}
				tr := start(t, newSite(t, b))
				tr.fail(func() {
					c.fail(proxy)
					<-time.After(c.d)
					proxy.Heal()
				})
				tr.verdict(expectation{lossy: []int{0}, absent: c.absent, ghosts: c.absent != nil})
			})
		})
	}
}

// The sentinels make the replica the master.
func TestSentinelFailover(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		sentinels := redistest.StartSentinels(t)
		tr := start(t, newSite(t, sentinelBackend(mode, sentinels)))
		tr.fail(sentinels.Failover)
		tr.verdict(expectation{lossy: everywhere})
	})
}

// The master is killed, the sentinels notice it.
func TestSentinelMasterKilled(t *testing.T) {
	repeat(t, func(t *testing.T, mode string) {
		sentinels := redistest.StartSentinels(t)
		tr := start(t, newSite(t, sentinelBackend(mode, sentinels)))
		tr.fail(func() {
			sentinels.Master.Kill()
			sentinels.AwaitMaster(sentinels.Replica)
		})
		tr.verdict(expectation{lossy: everywhere})
	})
}

func sentinelBackend(mode string, s *redistest.Sentinels) backend {
	toml := fmt.Sprintf("[scaling.redis.sentinel]\nmaster = %q\nnodes = [%q, %q]", redistest.MasterName, s.Addrs[0], s.Addrs[1])
	return backend{
		mode:   mode,
		toml:   func(int) string { return toml },
		stores: func() []*redistest.Server { return []*redistest.Server{s.Master, s.Replica} },
	}
}

// Every slot of the cluster that the nodes need moves to another master, one after the other.
func TestSlotsMoved(t *testing.T) {
	repeat(t, func(t *testing.T, _ string) {
		cluster, b := sharded(t)
		tr := start(t, newSite(t, b))
		tr.fail(func() {
			for _, name := range append(append([]string{"nodes", "all"}, qualified(rooms)...), qualified(dens)...) {
				slot := slotOf(name)
				cluster.MoveSlot(slot, another(cluster, cluster.Owner(slot)))
			}
		})
		tr.verdict(expectation{lossy: everywhere})
	})
}

// A master of the cluster is killed, its replica takes over.
func TestClusterMasterKilled(t *testing.T) {
	repeat(t, func(t *testing.T, _ string) {
		cluster := redistest.StartClusterWithReplicas(t, 3)
		tr := start(t, newSite(t, clusterBackend(cluster, append(cluster.Nodes, cluster.Replicas...))))
		master := int(crc32.ChecksumIEEE([]byte(t.Name()))) % 3
		tr.fail(func() {
			cluster.Nodes[master].Kill()
			tr.s.await(limit, "the replica is master", func() bool {
				role, _ := cluster.Replicas[master].Do("ROLE").([]any)
				return len(role) > 0 && role[0] == "master"
			})
		})
		tr.verdict(expectation{lossy: everywhere})
	})
}

func sharded(t testing.TB) (*redistest.Cluster, backend) {
	t.Helper()
	cluster := redistest.StartCluster(t, 3)
	return cluster, clusterBackend(cluster, cluster.Nodes)
}

func clusterBackend(c *redistest.Cluster, stores []*redistest.Server) backend {
	toml := fmt.Sprintf("cluster = true\nnodes = [\"%s\"]", strings.Join(c.Addrs(), `", "`))
	return backend{
		mode:   native, // a cluster of the other mode cannot be
		toml:   func(int) string { return toml },
		stores: func() []*redistest.Server { return stores },
	}
}

func qualified(channels []string) []string {
	tags := make([]string, len(channels))
	for i, channel := range channels {
		tags[i] = "1/" + channel
	}
	return tags
}

// slotOf is the hash slot of a tag: CRC16, XMODEM.
func slotOf(tag string) int {
	var crc uint16
	for _, b := range []byte(tag) {
		crc ^= uint16(b) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc) % 16384
}

func another(c *redistest.Cluster, than *redistest.Server) *redistest.Server {
	for _, node := range c.Nodes {
		if node != than {
			return node
		}
	}
	return nil
}
