package chaos_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

const (
	key    = "chaos-key"
	secret = "chaos-secret"
	slots  = 3 // nodes of a site
)

const nodeConfig = `
[server]
host = "127.0.0.1"
port = 0
drain_timeout = 2
[[apps]]
app_id = "1"
key = "chaos-key"
secret = "chaos-secret"
ping_interval = 3600 # members of a crowd answer no pings
[metrics]
listen = "%s"
[scaling]
enabled = true
mode = "%s"
lease = %d
linger = 1
cache_ttl = 3
[scaling.redis]
%s
`

// backend is a Redis of some kind.
type backend struct {
	mode   string                // scaling.mode
	toml   func(slot int) string // of the table [scaling.redis] of a node
	stores func() []*redistest.Server
}

// site is some nodes and their Redis.
type site struct {
	backend
	t testing.TB

	mu sync.Mutex
	// Guarded by mu.
	nodes []*node // by slot; nil: none
	count int     // of all there ever were
}

// node is one process.
type node struct {
	*testclient.Server
	number int // of all the site ever had
	scrape string
}

func newSite(t testing.TB, b backend) *site {
	t.Helper()
	s := &site{backend: b, t: t, nodes: make([]*node, slots)}
	for slot := range slots {
		s.start(slot)
	}
	for slot := range slots {
		s.await(10*time.Second, "every node knows of all", func() bool { return s.gauge(slot, "reverb_relay_nodes") == slots })
	}
	return s
}

// start starts a node in the slot.
func (s *site) start(slot int) *node {
	s.t.Helper()
	n := &node{scrape: "127.0.0.1:" + redistest.FreePort(s.t)}
	config := fmt.Sprintf(nodeConfig, n.scrape, s.mode, int(lease().Seconds()), s.toml(slot))
	n.Server = testclient.Start(s.t, bin, testclient.Options{Config: config})
	s.mu.Lock()
	defer s.mu.Unlock()
	n.number = s.count
	s.count++
	s.nodes[slot] = n
	return n
}

// node is that of a slot, nil if there is none.
func (s *site) node(slot int) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[slot]
}

// living are the slots that have a node.
func (s *site) living() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var living []int
	for slot, n := range s.nodes {
		if n != nil {
			living = append(living, slot)
		}
	}
	return living
}

// empty takes the node out of its slot: nobody goes there any more.
func (s *site) empty(slot int) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[slot]
	s.nodes[slot] = nil
	return n
}

func (s *site) kill(slot int) { s.empty(slot).Kill() }

// pause stops a node for a time, as a machine that swaps or a debugger does.
func (s *site) pause(slot int, d time.Duration) {
	n := s.node(slot)
	n.Signal(syscall.SIGSTOP)
	<-time.After(d) // for as long as it is the case
	n.Signal(syscall.SIGCONT)
}

// await waits for something that no frame tells of.
func (s *site) await(limit time.Duration, what string, ok func() bool) {
	s.t.Helper()
	if !redistest.Eventually(limit, ok) {
		s.fatal("not within %v: %s", limit, what)
	}
}

// fatal ends the test with what the nodes have to say.
func (s *site) fatal(format string, args ...any) {
	s.t.Helper()
	for _, slot := range s.living() {
		s.t.Logf("node %d:\n%s", slot, s.node(slot).Output())
	}
	s.t.Fatalf(format, args...)
}

// connect opens a connection to a slot's node.
func (s *site) connect(t testing.TB, slot int) *testclient.Client {
	t.Helper()
	n := s.node(slot)
	if n == nil {
		t.Fatalf("no node in slot %d", slot)
	}
	return testclient.Connect(t, n.Addr, key)
}

func (n *node) app(client *http.Client) testclient.App {
	return testclient.App{ID: "1", Key: key, Secret: secret, Base: "http://" + n.Addr, Client: client}
}

// counter adds up a metric over its labels; ok is false when the node does not answer.
func (n *node) counter(t testing.TB, name string) (sum int, ok bool) {
	var page string
	if try(t, func(t testing.TB) {
		page = testclient.Do(t, nil, http.MethodGet, "http://"+n.scrape+"/metrics", "").Body
	}) != nil {
		return 0, false
	}
	for line := range strings.Lines(page) {
		rest, found := strings.CutPrefix(line, name)
		if !found || rest == "" || rest[0] != ' ' && rest[0] != '{' {
			continue
		}
		value, err := strconv.ParseFloat(strings.TrimSpace(rest[strings.LastIndexByte(rest, ' '):]), 64)
		if err != nil {
			t.Fatalf("metric %q", line)
		}
		sum += int(value)
	}
	return sum, true
}

// gauge is a metric of a slot's node, -1 when it does not answer.
func (s *site) gauge(slot int, name string) int {
	value, ok := s.node(slot).counter(s.t, name)
	if !ok {
		return -1
	}
	return value
}

// whole says whether all nodes that live reach Redis and know of each other.
func (s *site) whole() bool {
	living := s.living()
	for _, slot := range living {
		if s.gauge(slot, "reverb_relay_up") != 1 || s.gauge(slot, "reverb_relay_nodes") != len(living) {
			return false
		}
	}
	return true
}

// get asks a node's API and decodes the answer; partial says that not all nodes have answered.
func (s *site) get(slot int, path string, query url.Values, into any) (partial bool) {
	s.t.Helper()
	answer := s.node(slot).app(nil).Get(s.t, path, query)
	if answer.Status != http.StatusOK || json.Unmarshal([]byte(answer.Body), into) != nil {
		s.fatal("%s: %d %s", path, answer.Status, answer.Body)
	}
	return answer.Header.Get("Reverb-Partial") != ""
}

// users are the users of a channel as a node says.
func (s *site) users(slot int, channel string) []int {
	s.t.Helper()
	n := s.node(slot)
	answer := n.app(nil).Get(s.t, "/channels/"+channel+"/users", nil)
	var body struct {
		Users []struct{ ID int }
	}
	if answer.Status == http.StatusNotFound {
		return nil
	}
	if answer.Status != http.StatusOK || json.Unmarshal([]byte(answer.Body), &body) != nil {
		s.fatal("users: %d %s", answer.Status, answer.Body)
	}
	ids := make([]int, len(body.Users))
	for i, user := range body.Users {
		ids[i] = user.ID
	}
	slices.Sort(ids)
	return ids
}

// keys are the names of everything in Redis.
func (s *site) keys() []string {
	s.t.Helper()
	var names []string
	for _, store := range s.stores() {
		found, ok := store.Do("KEYS", "*").([]any)
		if !ok {
			continue
		}
		for _, name := range found {
			names = append(names, name.(string))
		}
	}
	slices.Sort(names)
	return names
}
