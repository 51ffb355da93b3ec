package redistest

import (
	"net"
	"strings"
	"testing"
)

// Pair is a primary and its replica behind one address, as clouds and balancers have them: nobody tells a client which is which.
type Pair struct {
	*Proxy
	Primary, Replica *Server
}

// StartPair starts them and waits until the replica has what the primary has. args are further arguments of both.
func StartPair(t testing.TB, args ...string) *Pair {
	t.Helper()
	args = append([]string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, args...)
	p := &Pair{Primary: Start(t, args...), Replica: Start(t, args...)}
	p.Replica.Follow(p.Primary)
	p.Proxy = NewProxy(t, p.Primary.Addr)
	return p
}

// Follow makes s a replica of the other and waits until it has what that one has.
func (s *Server) Follow(other *Server) {
	s.t.Helper()
	host, port, _ := net.SplitHostPort(other.Addr)
	s.must("REPLICAOF", host, port)
	s.await("master_link_status:up", "INFO", "replication")
}

// Promote makes the replica the primary and the primary its replica, which keeps its connections. New connections go where they went
// before until Redirect.
func (p *Pair) Promote() {
	p.Replica.t.Helper()
	p.Replica.must("REPLICAOF", "NO", "ONE")
	p.Primary.Follow(p.Replica)
	p.Primary, p.Replica = p.Replica, p.Primary
}

// Failover promotes the replica, has new connections go to it, and then makes the old primary its replica.
func (p *Pair) Failover() {
	p.Replica.t.Helper()
	p.Replica.must("REPLICAOF", "NO", "ONE")
	p.Redirect(p.Replica.Addr)
	p.Primary.Follow(p.Replica)
	p.Primary, p.Replica = p.Replica, p.Primary
}

// Clients counts the connections of nodes.
func (s *Server) Clients() int {
	s.t.Helper()
	list, _ := s.must("CLIENT", "LIST").(string)
	return strings.Count(list, " name=reverb ")
}

// Must executes a command that must not fail.
func (s *Server) Must(args ...string) any {
	s.t.Helper()
	return s.must(args...)
}
