// Package cluster_test drives several real nodes that share a real Redis, as their users do: nothing that a client sees may depend on
// the node that it is on.
package cluster_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// bin is the program under test, built once.
var bin string

func TestMain(m *testing.M) {
	os.Exit(testclient.WithProgram(func(_, program string) int {
		bin = program
		return m.Run()
	}))
}

const (
	key    = "cluster-key"
	secret = "cluster-secret"
)

const nodeConfig = `
[server]
host = "127.0.0.1"
port = 0
drain_timeout = 2
%s
[[apps]]
app_id = "1"
key = "cluster-key"
secret = "cluster-secret"
%s
[scaling]
enabled = true
mode = "%s"
%s
[scaling.redis]
%s
`

// readWait bounds what is waited for without a frame.
const readWait = 20 * time.Second

// modes are the values of scaling.mode.
var modes = []string{"native", "reverb"}

// node is one running server.
type node struct {
	*testclient.Server
	t      testing.TB
	secure bool // serves TLS
}

// options are lines that are added to the tables of the configuration.
type options struct{ server, app, scaling string }

// startNode starts a node on the Redis.
func startNode(t testing.TB, mode string, redis *redistest.Server, o options) *node {
	t.Helper()
	return startNodeAt(t, mode, "port = "+redis.Port(), o)
}

// startNodeAt starts a node; redis is the content of its table [scaling.redis].
func startNodeAt(t testing.TB, mode, redis string, o options, env ...string) *node {
	t.Helper()
	s := testclient.Start(t, bin, testclient.Options{
		Config: fmt.Sprintf(nodeConfig, o.server, o.app, mode, o.scaling, redis), Env: env,
	})
	return &node{Server: s, t: t}
}

func (n *node) connect() *testclient.Client {
	n.t.Helper()
	return n.dial(new(ws.Dialer))
}

// app is the HTTP side of the application on this node.
func (n *node) app() testclient.App {
	if n.secure {
		return testclient.App{ID: "1", Key: key, Secret: secret, Base: "https://" + n.Addr, Client: trusting}
	}
	return testclient.App{ID: "1", Key: key, Secret: secret, Base: "http://" + n.Addr}
}

func (n *node) publish(channel, data, except string) {
	n.t.Helper()
	body := fmt.Sprintf(`{"name":"e","channel":%q,"data":%q}`, channel, data)
	if except != "" {
		body = fmt.Sprintf(`{"name":"e","channel":%q,"data":%q,"socket_id":%q}`, channel, data, except)
	}
	n.app().Post(n.t, "/events", body).Expect(n.t, http.StatusOK, `{}`)
}

func (n *node) get(path string, query url.Values) testclient.Answer {
	n.t.Helper()
	return n.app().Get(n.t, path, query)
}

// event is what a client is sent of publish.
func event(channel, data string) string {
	return fmt.Sprintf(`{"event":"e","data":%q,"channel":%q}`, data, channel)
}

func member(id int) string { return fmt.Sprintf(`{"user_id":%d,"user_info":{"name":"u%d"}}`, id, id) }

func added(channel string, id int) string {
	return fmt.Sprintf(`{"event":"pusher_internal:member_added","data":%q,"channel":%q}`, member(id), channel)
}

func removed(channel string, id int) string {
	return fmt.Sprintf(`{"event":"pusher_internal:member_removed","data":"{\"user_id\":%d}","channel":%q}`, id, channel)
}

// eventually waits for something that no frame tells of.
func eventually(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if !redistest.Eventually(limit, ok) {
		t.Fatalf("not within %v: %s", limit, what)
	}
}

// metric reads one number of a node that serves its metrics.
func metric(t testing.TB, address, name string) string {
	t.Helper()
	for line := range strings.Lines(testclient.Do(t, nil, http.MethodGet, "http://"+address+"/metrics", "").Body) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
