package channels_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"reverb/channels"
	"reverb/outbound"
	"reverb/transport"
)

// paces is what Options.Pace answers: the same for all sockets but those that have a pace of their own.
type paces struct {
	all atomic.Int32
	own map[channels.Subscriber]transport.Pace // not changed while the hub runs
}

func (p *paces) set(pace transport.Pace) { p.all.Store(int32(pace)) }

func (p *paces) of(s channels.Subscriber) transport.Pace {
	if own, ok := p.own[s]; ok {
		return own
	}
	return transport.Pace(p.all.Load())
}

// pacedCrowd is a hub with sockets in one channel.
func pacedCrowd(t *testing.T, p *paces, n int, o channels.Options) (*channels.Hub, []*socket) {
	t.Helper()
	all := newSockets(n)
	o.Pace = p.of
	h := channels.NewHub(o)
	t.Cleanup(h.Close)
	for _, s := range all {
		join(t, h, "room", s, "")
		s.take()
	}
	return h, all
}

// rest lets the hub come to rest.
func rest() {
	time.Sleep(time.Second) // the bubble's clock
	synctest.Wait()
}

// While everybody is behind what is published waits in the channel; it goes out in order when they have caught up.
// However many they are.
func TestPublisherAheadOfEverybodyIsHeld(t *testing.T) {
	for _, n := range []int{1, channels.InlineMax, channels.InlineMax + 1, channels.SliceLen + 1} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(paces)
				h, all := pacedCrowd(t, p, n, channels.Options{})
				p.set(transport.Behind)
				for _, text := range []string{"1", "2", "3"} {
					say(t, h, "room", text, nil)
					rest()
				}
				for i, s := range all {
					wantGot(t, fmt.Sprint(i), s, "1") // nobody was behind before it
				}
				p.set(transport.KeepsUp)
				rest()
				for i, s := range all {
					wantGot(t, fmt.Sprint(i), s, "2", "3")
				}
				say(t, h, "room", "4", nil)
				rest()
				for i, s := range all {
					wantGot(t, fmt.Sprint(i), s, "4")
				}
				if err := h.ConsistencyCheck(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// A channel goes on for the sake of one in eight that keep up, but not at the cost of one that reads well, and does not
// wait for those that do not read.
func TestOthersAreNotHeldUp(t *testing.T) {
	for _, tt := range []struct {
		name         string
		behind, fast int
		rest         transport.Pace // of ten sockets
		held         bool
	}{
		{"one of ten keeps up", 9, 1, transport.Behind, true},
		{"two of ten keep up", 8, 2, transport.Behind, false},
		{"nobody reads", 0, 0, transport.Stalled, false},
		{"one keeps up and nobody else reads", 0, 1, transport.Stalled, false},
		{"one is behind and nobody else reads", 1, 0, transport.Stalled, true},
		{"nine keep up and one is pressed", 0, 9, transport.Pressed, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &paces{own: map[channels.Subscriber]transport.Pace{}}
				p.set(tt.rest)
				h, all := pacedCrowd(t, p, 10, channels.Options{})
				for i, s := range all[:tt.behind+tt.fast] {
					p.own[s] = transport.Behind
					if i >= tt.behind {
						p.own[s] = transport.KeepsUp
					}
				}
				say(t, h, "room", "1", nil)
				rest()
				say(t, h, "room", "2", nil)
				rest()
				want := []string{"1", "2"}
				if tt.held {
					want = want[:1]
				}
				wantGot(t, "the last", all[9], want...)
			})
		})
	}
}

// A socket that leaves while its channel is held, and the last one, leave nothing behind.
func TestHeldChannelVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(paces)
		p.set(transport.Behind)
		h, _ := pacedCrowd(t, p, 0, channels.Options{})
		sub := join(t, h, "room", newSocket(), "")
		say(t, h, "room", "1", nil)
		say(t, h, "room", "2", nil)
		h.Unsubscribe(sub)
		rest()
		if err := h.ConsistencyCheck(); err != nil {
			t.Error(err)
		}
	})
}

// Close delivers what is held.
func TestCloseDeliversWhatIsHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(paces)
		p.set(transport.Behind)
		h, all := pacedCrowd(t, p, 9, channels.Options{})
		say(t, h, "room", "1", nil)
		rest()
		say(t, h, "room", "2", nil)
		h.Close()
		wantGot(t, "the last", all[8], "1", "2")
	})
}

// Thousands of publishers that come at once need not wait, though nobody has taken the first event yet.
func TestRoomForABurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const burst, size = 4096, 9_064
		p := new(paces)
		h, all := pacedCrowd(t, p, 9, channels.Options{})
		p.set(transport.Behind)
		message := outbound.New(strings.Repeat(" ", size))
		for n := range burst {
			if !h.Room(app, "room") {
				t.Fatalf("no room behind %d events", n)
			}
			if _, err := h.Broadcast(app, "room", channels.Event{Message: message}); err != nil {
				t.Fatal(err)
			}
		}
		p.set(transport.KeepsUp)
		rest()
		if got := len(all[0].take()); got != burst {
			t.Errorf("%d events arrived, want %d", got, burst)
		}
	})
}

// Publishers are admitted in the order in which they came, as far as there is room, and those for whom there is none in
// time are told.
func TestRoomIsGivenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1000
		p := new(paces)
		h, all := pacedCrowd(t, p, 9, channels.Options{PendingBytes: 8 * size})
		p.set(transport.Behind)
		publish := func(text string) error {
			_, err := h.Broadcast(app, "room", channels.Event{Message: outbound.New(text + strings.Repeat(" ", size))})
			return err
		}
		if err := publish("first"); err != nil {
			t.Fatal(err)
		}
		rest()
		n := 0
		for ; h.Room(app, "room"); n++ {
			if err := publish("more"); err != nil {
				t.Fatal(err)
			}
		}
		if n < 3 || n > 4 {
			t.Fatalf("room for %d frames, want half of the 8 that may wait", n)
		}
		if !h.Room(app, "other") || !h.WaitForRoom(t.Context(), app, "other", size) {
			t.Error("a channel without anybody has no room")
		}
		var admitted []int
		done := make(chan int)
		for i := range 3 {
			go func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+i%2*100)*time.Minute)
				defer cancel()
				if h.WaitForRoom(ctx, app, "room", size) {
					done <- i
				} else {
					done <- -1 - i
				}
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Minute)
		for range 2 {
			admitted = append(admitted, <-done)
		}
		if got := fmt.Sprint(admitted); got != "[-1 -3]" && got != "[-3 -1]" {
			t.Errorf("after their time %v, want the first and the third to be refused", got)
		}
		p.set(transport.KeepsUp)
		if got := <-done; got != 1 {
			t.Errorf("%d was admitted, want 1", got)
		}
		rest()
		if !h.Room(app, "room") {
			t.Error("no room though nothing waits")
		}
		if got := all[8].take(); len(got) != n+1 {
			t.Errorf("%d frames arrived, want %d", len(got), n+1)
		}
		if err := h.ConsistencyCheck(); err != nil {
			t.Error(err)
		}
	})
}
