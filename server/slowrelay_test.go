package server_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/config"
	"reverb/metrics"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/server"
)

// slowRelay is a relay whose joins wait until the test answers them. It does what the promise of Join says, and keeps
// the books: what was granted and not given back.
type slowRelay struct {
	scaling.Local
	atOnce bool // answers before Join returns

	mu        sync.Mutex
	node      scaling.Handler
	waiting   []waitingJoin
	held      map[string]int // joins that are granted, by channel and member
	grace     []string       // of leaves with Grace
	sent      []scaling.Message
	onSend    func() // called by Publish, if set
	elsewhere int    // connections of other nodes
	mistakes  []string
}

type waitingJoin struct {
	join scaling.Join
	done func(error)
}

func (r *slowRelay) Start(h scaling.Handler) error {
	r.node, r.held = h, map[string]int{}
	return r.Local.Start(h)
}

func (r *slowRelay) Publish(m scaling.Message) error {
	r.mu.Lock()
	r.sent = append(r.sent, m)
	r.mu.Unlock()
	if r.onSend != nil {
		r.onSend()
	}
	return r.Local.Publish(m)
}

func (r *slowRelay) Query(_ context.Context, q scaling.Query) scaling.Answer {
	return r.node.Answer(q)
}

func (r *slowRelay) OtherConnections(string) int { return r.elsewhere }

func (r *slowRelay) Join(j scaling.Join, done func(error)) {
	if r.atOnce {
		r.answer(waitingJoin{j, done}, nil)
		return
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, waitingJoin{j, done})
	r.mu.Unlock()
}

func memberID(m *protocol.MemberData) string {
	if m == nil {
		return ""
	}
	return m.UserID
}

func (r *slowRelay) answer(w waitingJoin, err error) {
	if err == nil {
		r.mu.Lock()
		r.node.Hold(w.join.App, w.join.Channel)
		if id := memberID(w.join.Member); id != "" {
			r.node.MemberAdded(w.join.App, w.join.Channel, w.join.Member)
		}
		r.held[w.join.Channel+" "+memberID(w.join.Member)]++
		r.mu.Unlock()
	}
	w.done(err)
}

// next answers the join that waits longest.
func (r *slowRelay) next(t testing.TB, err error) {
	t.Helper()
	w, ok := r.take(func(scaling.Join) bool { return true })
	if !ok {
		t.Fatal("no join waits")
	}
	r.answer(w, err)
}

// grant answers the join that waits for this channel.
func (r *slowRelay) grant(t testing.TB, channel string) {
	t.Helper()
	w, ok := r.take(func(j scaling.Join) bool { return j.Channel == channel })
	if !ok {
		t.Fatalf("no join waits for %s", channel)
	}
	r.answer(w, nil)
}

func (r *slowRelay) take(wanted func(scaling.Join) bool) (waitingJoin, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.waiting, func(w waitingJoin) bool { return wanted(w.join) })
	if i < 0 {
		return waitingJoin{}, false
	}
	w := r.waiting[i]
	r.waiting = slices.Delete(r.waiting, i, i+1)
	return w, true
}

func (r *slowRelay) Leave(l scaling.Leave) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := l.Channel + " " + memberID(l.Member)
	if r.held[key]--; r.held[key] < 0 {
		r.mistakes = append(r.mistakes, "left twice: "+key)
	}
	if l.Grace {
		r.grace = append(r.grace, key)
	}
	if r.held[key] > 0 {
		return
	}
	delete(r.held, key)
	if id := memberID(l.Member); id != "" {
		r.node.MemberRemoved(l.App, l.Channel, id)
	}
	for other := range r.held {
		if strings.HasPrefix(other, l.Channel+" ") {
			return
		}
	}
	r.node.Release(l.App, l.Channel)
}

// settled fails unless everything that was granted is given back and the hub is empty.
func (r *slowRelay) settled(t testing.TB, n *node) {
	t.Helper()
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.held) > 0 || len(r.mistakes) > 0 || len(r.waiting) > 0 {
		t.Errorf("held %v, waiting %d, mistakes %v", r.held, len(r.waiting), r.mistakes)
	}
	if got := n.hub.Stats(); got.Subscriptions != 0 || got.Channels != 0 {
		t.Errorf("left in the hub: %+v", got)
	}
	if got := n.Answer(scaling.Query{Of: scaling.QueryConnections, App: "1"}).Connections; got != 0 {
		t.Errorf("%d connections are counted", got)
	}
}

// newScaled makes a node among others whose relay is r.
func newScaled(tb testing.TB, r scaling.Relay, change func(*config.Config)) *node {
	tb.Helper()
	cfg := configured(appWith(nil))
	if change != nil {
		change(cfg)
	}
	n := &node{t: tb, hub: channels.NewHub(channels.Options{Replicated: true}), metrics: metrics.New("test")}
	n.Server = server.New(server.Options{
		Config: cfg, Hub: n.hub, Relay: r, Metrics: n.metrics, Log: slog.New(slog.DiscardHandler),
	})
	n.LocalNode = n.Node()
	if err := r.Start(n.LocalNode); err != nil {
		tb.Fatal(err)
	}
	n.Start()
	return n
}

// scaled runs body on a node among others, in a bubble of fake time.
func scaled(t *testing.T, change func(*config.Config), body func(t *testing.T, n *node, r *slowRelay)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &slowRelay{}
		n := newScaled(t, r, change)
		defer n.stop()
		body(t, n, r)
		r.settled(t, n)
	})
}
