package redistest

import "testing"

// Server is a redis-server on a free port of loopback, without persistence: it starts empty each time.
type Server struct {
	// Addr is host:port, the same after Restart.
	Addr string
}

// Start starts a server, which ends with the test. args are further arguments, as --requirepass x.
func Start(t testing.TB, args ...string) *Server { return nil }

// Stop ends the server as SIGTERM does, Kill as SIGKILL. Start it again with Restart: empty.
func (s *Server) Stop()    {}
func (s *Server) Kill()    {}
func (s *Server) Restart() {}

// Pause stops the process (SIGSTOP) until Resume.
func (s *Server) Pause()  {}
func (s *Server) Resume() {}

// Do executes a command on a connection of its own and returns the reply: nil, int64, string, []any or error.
func (s *Server) Do(args ...string) any { return nil }

// Cluster is a Redis Cluster of masters without replicas.
type Cluster struct{ Nodes []*Server }

// StartCluster starts a cluster of n masters that share the slots evenly and waits until it is ok.
func StartCluster(t testing.TB, n int, args ...string) *Cluster { return nil }

// MoveSlot migrates a slot, keys included, to the node.
func (c *Cluster) MoveSlot(slot int, to *Server) {}

// Sentinels are three sentinels, a master named "mymaster" and a replica of it.
type Sentinels struct {
	Addrs           []string
	Master, Replica *Server
}

// StartSentinels starts them and waits until the sentinels know the replica and each other.
func StartSentinels(t testing.TB) *Sentinels { return nil }

// Proxy is a TCP proxy in front of a server.
type Proxy struct{ Addr string }

// NewProxy starts a proxy to the target address, which ends with the test.
func NewProxy(t testing.TB, target string) *Proxy { return nil }

// Cut closes all connections and refuses new ones, Blackhole keeps them open and swallows what is sent both ways (new ones are accepted
// and stay silent), Heal ends both: what was swallowed is lost, connections that were swallowed are closed.
func (p *Proxy) Cut()       {}
func (p *Proxy) Blackhole() {}
func (p *Proxy) Heal()      {}
