package channels_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

const publishers = 3

// witness is a Subscriber that judges each event as it comes: of each publisher every event, once, in order, from the
// first that was published after it came.
type witness struct {
	t    *testing.T
	id   protocol.SocketID
	left atomic.Bool

	mu        sync.Mutex
	published [publishers]int // that had been published when it came
	next      [publishers]int // 0: none came yet
	first     [publishers]int
	came      chan struct{} // closed with the first event
	succeeded bool
	order     []string
}

func (w *witness) SocketID() protocol.SocketID { return w.id }

func (w *witness) Encoding() *outbound.Encoding { return outbound.TextFrame }

func (w *witness) Answer(encoded []byte) { w.Send(encoded) }

func (w *witness) Send(f []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left.Load() {
		w.t.Errorf("a frame came after Unsubscribe")
	}
	for _, text := range payloads(f) {
		var p, n int
		if _, err := fmt.Sscanf(text, "%d %d", &p, &n); err != nil {
			w.succeeded = true // the only other message
			continue
		}
		switch {
		case !w.succeeded:
			w.t.Errorf("event %s came before subscription_succeeded", text)
		case w.next[p] == 0 && n < w.published[p]:
			w.t.Errorf("event %s was published before the subscribe, when %d were", text, w.published[p])
		case w.next[p] != 0 && n != w.next[p]:
			w.t.Errorf("event %s came in the place of %d", text, w.next[p])
		}
		if w.next[p] == 0 {
			w.first[p] = n
		}
		if len(w.order) == 0 {
			close(w.came)
		}
		w.next[p] = n + 1
		w.order = append(w.order, text)
	}
}

// TestHammer has publishers, sockets that stay and sockets that come and go, all at once, in channels below and above
// the size that is walked inline, shared and sliced.
func TestHammer(t *testing.T) {
	for _, staying := range []int{1, channels.InlineMax - 1, 40, 3*channels.SliceLen + 1} {
		t.Run(fmt.Sprint(staying), func(t *testing.T) {
			h := channels.NewHub(channels.Options{Workers: 4})
			hammer(t, h, staying)
			h.Close()
			check(t, h)
		})
	}
}

func hammer(t *testing.T, h *channels.Hub, staying int) {
	t.Helper()
	const name = "room"
	events := 20000 / (staying + 10)
	var published [publishers]atomic.Int64
	enter := func() (*witness, *channels.Subscription) {
		w := &witness{t: t, id: protocol.NewSocketID(), came: make(chan struct{})}
		for p := range w.published {
			w.published[p] = int(published[p].Load())
		}
		return w, join(t, h, name, w, "")
	}
	var stay []*witness
	for range staying {
		w, _ := enter()
		stay = append(stay, w)
	}
	var publishing, churning sync.WaitGroup
	for p := range publishers {
		publishing.Go(func() {
			for n := range events {
				if _, err := h.Broadcast(app, name, channels.Event{Message: outbound.New(fmt.Appendf(nil, "%d %d", p, n))}); err != nil {
					t.Errorf("Broadcast: %v", err)
				}
				published[p].Add(1)
			}
		})
	}
	stop := make(chan struct{})
	for g := range 4 {
		churning.Go(func() {
			for {
				w, sub := enter()
				var latest [publishers]int64
				for p := range latest {
					latest[p] = published[p].Load() + 1 // one may be on its way
				}
				if g%2 == 0 {
					select {
					case <-w.came:
					case <-stop:
					}
				}
				sub2, err := h.Subscribe(app, name, w, sub, channels.JoinOptions{})
				if err != nil || sub2 != sub {
					t.Errorf("Subscribe again: %v", err)
				}
				h.Unsubscribe(sub)
				w.left.Store(true)
				for p := range latest {
					if w.next[p] > 0 && int64(w.first[p]) > latest[p] {
						t.Errorf("the first event was %d, but %d came after the subscribe", w.first[p], latest[p])
					}
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	publishing.Wait()
	close(stop)
	churning.Wait()
	h.Close() // delivers what waits
	for _, w := range stay {
		if len(w.order) != publishers*events {
			t.Errorf("a socket that stayed got %d events, want %d", len(w.order), publishers*events)
		}
		if !slices.Equal(w.order, stay[0].order) {
			t.Errorf("two sockets saw different orders")
		}
	}
}

// TestHammerEmptyChannel has sockets come and go in channels that vanish each time, with a recorder that wants order.
func TestHammerEmptyChannel(t *testing.T) {
	var l ledger
	h := channels.NewHub(channels.Options{Facts: &l})
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 2000 {
				name := fmt.Sprintf("presence-cache-%d", i%3)
				s := newSocket()
				sub := join(t, h, name, s, fmt.Sprintf(`{"user_id":%d}`, g+1))
				if i%5 == 0 {
					say(t, h, name, "{}", s)
				}
				h.Unsubscribe(sub)
			}
		})
	}
	all.Wait()
	h.Close()
	check(t, h)
	if s := h.Stats(); s != (channels.Stats{}) {
		t.Errorf("Stats after all left: %+v", s)
	}
	l.settled(t)
}
