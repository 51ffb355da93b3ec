package cluster_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

const (
	churnNodes    = 3
	churnClients  = 24
	churnChannels = 4
	churnUsers    = 9
	churnSteps    = 80
)

func churnChannel(i int) string { return fmt.Sprint("presence-churn-", i) }

// TestChurn has clients come, go and change their user on all nodes at once. Who watches a channel must see no user come twice or leave
// who was not there, on whatever node, and all must end with the same truth.
func TestChurn(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) { churn(t, mode, rand.Uint64(), func(*redistest.Server) {}) })
	}
}

// TestChurnWhileRedisRestarts is TestChurn with a Redis that comes back empty in the middle.
func TestChurnWhileRedisRestarts(t *testing.T) {
	churn(t, "native", rand.Uint64(), func(redis *redistest.Server) {
		<-time.After(200 * time.Millisecond)
		redis.Kill()
		<-time.After(100 * time.Millisecond)
		redis.Restart()
	})
}

// healWait bounds how long the nodes may need to agree again.
const healWait = 30 * time.Second

func churn(t *testing.T, mode string, seed uint64, disturb func(*redistest.Server)) {
	t.Helper()
	t.Logf("seed %d", seed)
	redis := redistest.Start(t)
	var nodes []*node
	for range churnNodes {
		nodes = append(nodes, startNode(t, mode, redis, options{}))
	}
	var watchers []*watcher
	for i, n := range nodes {
		for channel := range churnChannels {
			watchers = append(watchers, watch(t, n, churnChannel(channel), 1000+i))
		}
	}
	truth := make([]map[string]int, churnClients) // of each client: its user by channel
	var churning sync.WaitGroup
	for i := range churnClients {
		churning.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			truth[i] = churnOne(nodes, random)
		})
	}
	disturb(redis)
	churning.Wait()
	for channel := range churnChannels {
		name := churnChannel(channel)
		users := map[string]bool{}
		for i := range nodes {
			users[fmt.Sprint(1000+i)] = true
		}
		for _, of := range truth {
			if user, ok := of[name]; ok {
				users[fmt.Sprint(user)] = true

			}
		}
		want := slices.Sorted(maps.Keys(users))
		for i, n := range nodes {
			eventually(t, healWait, fmt.Sprintf("node %d knows that %s has %v", i, name, want), func() bool {
				return slices.Equal(usersOf(t, n, name), want)
			})
		}
		for _, w := range watchers {
			if w.channel != name {
				continue
			}
			if !redistest.Eventually(healWait, func() bool { return slices.Equal(w.present(), want) }) {
				t.Errorf("%s: a watcher has seen %v, want %v", name, w.present(), want)
			}
			if wrong := w.mistakes(); len(wrong) > 0 {
				t.Errorf("%s: %v", name, wrong)
			}
		}
	}
}

// churnOne is one client; it returns the user that it is in each channel at its end.
func churnOne(nodes []*node, random *rand.Rand) map[string]int {
	var c *testclient.Client
	in := map[string]int{}
	connect := func() {
		c = nodes[random.IntN(len(nodes))].connect()
		go func(c *testclient.Client) {
			for {
				if _, err := c.Read(); err != nil {
					return
				}
			}
		}(c)
	}
	connect()
	for range churnSteps {
		channel := churnChannel(random.IntN(churnChannels))
		switch random.IntN(12) {
		case 0:
			c.Close()
			clear(in)
			connect()
		case 1, 2, 3, 4:
			c.Send(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, channel))
			delete(in, channel)
		default:
			if _, ok := in[channel]; ok {
				continue
			}
			in[channel] = 1 + random.IntN(churnUsers)
			c.Subscribe(secret, channel, member(in[channel]))
		}
		if random.IntN(4) == 0 {
			<-time.After(time.Duration(random.IntN(20)) * time.Millisecond)
		}
	}
	return in
}

// watcher is a client that keeps a channel's users as it is told of them.
type watcher struct {
	channel string

	mu    sync.Mutex
	users map[string]bool
	wrong []string
}

func watch(t *testing.T, n *node, channel string, user int) *watcher {
	t.Helper()
	c := n.connect()
	w := &watcher{channel: channel, users: map[string]bool{}}
	reply := c.Join(secret, channel, member(user))
	var text string
	var data struct {
		Presence struct{ Hash map[string]any }
	}
	if json.Unmarshal(reply.Data, &text) != nil || json.Unmarshal([]byte(text), &data) != nil {
		t.Fatalf("roster %s", reply.Data)
	}
	for id := range data.Presence.Hash {
		w.users[id] = true
	}
	go func() {
		for {
			text, err := c.Read()
			if err != nil {
				return
			}
			w.take(text)
		}
	}()
	return w
}

func (w *watcher) take(text string) {
	var e testclient.Event
	var quoted string
	var data struct {
		ID json.Number `json:"user_id"`
	}
	if json.Unmarshal([]byte(text), &e) != nil || json.Unmarshal(e.Data, &quoted) != nil || json.Unmarshal([]byte(quoted), &data) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	coming := e.Event == "pusher_internal:member_added"
	if w.users[data.ID.String()] == coming {
		w.wrong = append(w.wrong, fmt.Sprintf("%s of %s", e.Event, data.ID))
	}
	if coming {
		w.users[data.ID.String()] = true
	} else {
		delete(w.users, data.ID.String())
	}
}

func (w *watcher) present() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.users))
}

func (w *watcher) mistakes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong)
}

// usersOf asks a node who is in a channel.
func usersOf(t *testing.T, n *node, channel string) []string {
	t.Helper()
	var answer struct {
		Users []struct{ ID json.Number }
	}
	if body := n.get("/channels/"+channel+"/users", nil).Body; json.Unmarshal([]byte(body), &answer) != nil {
		t.Fatalf("users: %s", body)
	}
	ids := make([]string, len(answer.Users))
	for i, user := range answer.Users {
		ids[i] = user.ID.String()
	}
	slices.Sort(ids)
	return ids
}
