package chaos_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"reverb/internal/testclient"
)

func member(id int) string { return fmt.Sprintf(`{"user_id":%d,"user_info":{"name":"u%d"}}`, id, id) }

// next reads a message, however long it takes; open is false when the connection is over.
func next(c *testclient.Client) (text string, open bool) {
	for {
		text, err := c.Read()
		if err == nil {
			return text, true
		}
		if !strings.HasPrefix(err.Error(), "nothing came") {
			return "", false
		}
	}
}

// watcher is a subscriber of a presence channel that keeps its users as it is told of them.
type watcher struct {
	slot    int
	channel string
	id      int
	c       *testclient.Client

	mu      sync.Mutex
	users   map[int]bool
	removed map[int]int // how often
	wrong   []string
	over    chan struct{} // closed when the connection is
}

func watch(t testing.TB, s *site, slot int, channel string, id int) *watcher {
	t.Helper()
	w := &watcher{
		slot: slot, channel: channel, id: id, c: s.connect(t, slot),
		users: map[int]bool{}, removed: map[int]int{}, over: make(chan struct{}),
	}
	reply := w.c.Join(secret, channel, member(id))
	var text string
	var data struct {
		Presence struct{ IDs []int }
	}
	if json.Unmarshal(reply.Data, &text) != nil || json.Unmarshal([]byte(text), &data) != nil {
		t.Fatalf("roster %s", reply.Data)
	}
	for _, id := range data.Presence.IDs {
		w.users[id] = true
	}
	go func() {
		defer close(w.over)
		for {
			text, open := next(w.c)
			if !open {
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
		ID int `json:"user_id"`
	}
	if json.Unmarshal([]byte(text), &e) != nil || !strings.HasPrefix(e.Event, "pusher_internal:member_") {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if json.Unmarshal(e.Data, &quoted) != nil || json.Unmarshal([]byte(quoted), &data) != nil {
		w.wrong = append(w.wrong, text)
		return
	}
	coming := e.Event == "pusher_internal:member_added"
	if w.users[data.ID] == coming {
		w.wrong = append(w.wrong, fmt.Sprintf("%s of %d again", e.Event, data.ID))
	}
	if coming {
		w.users[data.ID] = true
		return
	}
	delete(w.users, data.ID)
	w.removed[data.ID]++
}

func (w *watcher) present() []int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.users))
}

// mistakes are announcements that cannot be, and how often users have left.
func (w *watcher) mistakes() (wrong []string, removed map[int]int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.wrong), maps.Clone(w.removed)
}

// visitor is a client that comes and goes.
type visitor struct {
	s      *site
	t      testing.TB
	random *rand.Rand

	slot int
	c    *testclient.Client
	in   map[string]int // its user by presence channel
	pong chan struct{}
	over chan struct{}
}

// visit has a client come and go until stop is closed. At its end it is where v.in says, on a connection that lives, or nowhere.
func (v *visitor) visit(stop <-chan struct{}, dens []string, users int) {
	step := time.NewTicker(20 * time.Millisecond)
	defer step.Stop()
	for {
		select {
		case <-stop:
			v.settle()
			return
		case <-step.C:
		}
		if v.c == nil || v.random.IntN(40) == 0 {
			v.connect()
			continue
		}
		den := dens[v.random.IntN(len(dens))]
		_, inside := v.in[den]
		err := try(v.t, func(testing.TB) {
			switch {
			case inside && v.random.IntN(2) == 0:
				v.c.Send(fmt.Sprintf(`{"event":"pusher:unsubscribe","data":{"channel":%q}}`, den))
				delete(v.in, den)
			case !inside:
				id := 1 + v.random.IntN(users)
				v.c.Subscribe(secret, den, member(id))
				v.in[den] = id
			}
		})
		if err != nil {
			v.leave()
		}
	}
}

func (v *visitor) leave() {
	if v.c != nil {
		v.c.Close()
		<-v.over
	}
	v.c, v.in = nil, map[string]int{}
}

// connect goes to any node that answers.
func (v *visitor) connect() {
	v.leave()
	living := v.s.living()
	v.slot = living[v.random.IntN(len(living))]
	if try(v.t, func(t testing.TB) { v.c = v.s.connect(t, v.slot) }) != nil {
		v.c = nil
		return
	}
	v.pong, v.over = make(chan struct{}, 1), make(chan struct{})
	go func(c *testclient.Client, pong, over chan struct{}) {
		defer close(over)
		for {
			text, open := next(c)
			if !open {
				return
			}
			if text == `{"event":"pusher:pong"}` {
				pong <- struct{}{}
			}
		}
	}(v.c, v.pong, v.over)
}

// settle makes sure that what v.in says has happened.
func (v *visitor) settle() {
	if v.c == nil {
		return
	}
	if try(v.t, func(testing.TB) { v.c.Send(`{"event":"pusher:ping","data":{}}`) }) != nil {
		v.leave()
		return
	}
	select {
	case <-v.pong:
	case <-v.over:
		v.leave()
	}
}
