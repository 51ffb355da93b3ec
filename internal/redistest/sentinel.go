package redistest

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// MasterName is the name of the sentinels' master.
const MasterName = "mymaster"

// Sentinels are three sentinels, a master named MasterName and a replica of it.
type Sentinels struct {
	Addrs           []string
	Master, Replica *Server

	t    testing.TB
	each []*Server
}

// StartSentinels starts them and waits until the sentinels know the replica and each other. args are further arguments of the master and the
// replica.
func StartSentinels(t testing.TB, args ...string) *Sentinels {
	t.Helper()
	args = append([]string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, args...)
	s := &Sentinels{t: t, Master: Start(t, args...)}
	s.Replica = Start(t, append(args, "--replicaof", "127.0.0.1 "+s.Master.Port())...)
	s.Replica.await("master_link_status:up", "INFO", "replication")
	for range 3 {
		one := s.sentinel()
		s.each = append(s.each, one)
		s.Addrs = append(s.Addrs, one.Addr)
	}
	for _, one := range s.each {
		if !Eventually(20*time.Second, func() bool {
			info, _ := one.Do("INFO", "sentinel").(string)
			return strings.Contains(info, "status=ok") && strings.Contains(info, "slaves=1,sentinels=3")
		}) {
			t.Fatalf("sentinel: %v", one.Do("INFO", "sentinel"))
		}
	}
	return s
}

// sentinel starts one.
func (s *Sentinels) sentinel() *Server {
	s.t.Helper()
	one := prepare(s.t, "redis-server")
	config := fmt.Sprintf("port %s\nbind 127.0.0.1\ndir %s\nsentinel monitor %s 127.0.0.1 %s 2\n"+
		"sentinel down-after-milliseconds %[3]s 1000\nsentinel failover-timeout %[3]s 2000\n",
		one.Port(), one.dir, MasterName, s.Master.Port())
	if s.Master.password != "" {
		config += fmt.Sprintf("sentinel auth-pass %s %s\n", MasterName, s.Master.password)
	}
	path := filepath.Join(one.dir, "sentinel.conf")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		s.t.Fatal(err)
	}
	one.launch("redis-server", path, "--sentinel")
	one.await("PONG", "PING")
	return one
}

// Sentinel is one of them, to be killed.
func (s *Sentinels) Sentinel(i int) *Server { return s.each[i] }

// Failover has the sentinels make the replica the master, while the master lives, and waits until all of them say so. Master and Replica
// change places.
func (s *Sentinels) Failover() {
	s.t.Helper()
	if !Eventually(10*time.Second, func() bool {
		_, failed := s.each[0].Do("SENTINEL", "FAILOVER", MasterName).(error)
		return !failed
	}) {
		s.t.Fatalf("failover: %v", s.each[0].Do("SENTINEL", "FAILOVER", MasterName))
	}
	s.AwaitMaster(s.Replica)
	s.Master, s.Replica = s.Replica, s.Master
}

// AwaitMaster waits until every living sentinel calls the server the master.
func (s *Sentinels) AwaitMaster(want *Server) {
	s.t.Helper()
	for _, one := range s.each {
		if one.cmd == nil {
			continue
		}
		var got any
		if !Eventually(30*time.Second, func() bool {
			got = one.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName)
			pair, _ := got.([]any)
			return len(pair) == 2 && net.JoinHostPort(fmt.Sprint(pair[0]), fmt.Sprint(pair[1])) == want.Addr
		}) {
			s.t.Fatalf("sentinel's master: %v, want %s", got, want.Addr)
		}
	}
}
