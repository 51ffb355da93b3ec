package channels_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

func TestBroadcastToNobody(t *testing.T) {
	h := newHub(t, channels.Options{})
	exists, err := h.Broadcast(app, "cache-room", channels.Event{Message: outbound.New("{}"), Cache: true})
	if exists || err != nil {
		t.Errorf("Broadcast: %v, %v, want false", exists, err)
	}
	s := newSocket()
	join(t, h, "cache-room", s, "")
	wantGot(t, "s", s, succeeded("cache-room"), miss("cache-room")) // what came before anybody is not cached
}

func TestBroadcastKeepsAppsApart(t *testing.T) {
	h := newHub(t, channels.Options{})
	mine, other := newSocket(), newSocket()
	join(t, h, "room", mine, "")
	if _, err := h.Subscribe("other", "room", other, nil, channels.JoinOptions{}); err != nil {
		t.Fatal(err)
	}
	say(t, h, "room", "1", nil)
	wantGot(t, "mine", mine, succeeded("room"), "1")
	wantGot(t, "other", other, succeeded("room"))
	if got := h.Channels("other", ""); len(got) != 1 || got[0].Name != "room" {
		t.Errorf("Channels: %v", got)
	}
}

func TestCacheLivesWithTheChannel(t *testing.T) {
	const name = "private-cache-room"
	h := newHub(t, channels.Options{})
	a, b, c := newSocket(), newSocket(), newSocket()
	sub := join(t, h, name, a, "")
	say(t, h, name, `{"n":1}`, a) // cached though a does not get it
	wantGot(t, "a", a, succeeded(name), miss(name))
	subB := join(t, h, name, b, "")
	wantGot(t, "b", b, succeeded(name), `{"n":1}`)
	h.Unsubscribe(sub)
	h.Unsubscribe(subB)
	join(t, h, name, c, "")
	wantGot(t, "c", c, succeeded(name), miss(name))
}

// standstill is a channel whose pass has reached a socket that holds it, while the frames of the test wait.
type standstill struct {
	h    *channels.Hub
	name string
	all  []*socket
	subs []*channels.Subscription
	hold chan struct{}
}

func newStandstill(t *testing.T, name string, o channels.Options) *standstill {
	t.Helper()
	o.Workers = 1
	x := &standstill{h: channels.NewHub(o), name: name, hold: make(chan struct{}), all: newSockets(channels.InlineMax + 4)}
	for i, s := range x.all {
		data := ""
		if protocol.KindOf(name).IsPresence() {
			data = fmt.Sprintf(`{"user_id":%d}`, i+1)
		}
		x.subs = append(x.subs, join(t, x.h, name, s, data))
	}
	synctest.Wait()
	for _, s := range x.all {
		s.take()
	}
	x.all[0].hold = x.hold
	say(t, x.h, name, "first", nil)
	synctest.Wait()
	return x
}

func (x *standstill) goOn() {
	close(x.hold)
	synctest.Wait()
}

func TestWaitingFramesGoOutTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "room", channels.Options{})
		defer x.h.Close()
		for i := range 5 {
			var except *socket
			if i == 2 {
				except = x.all[3]
			}
			say(t, x.h, "room", fmt.Sprint(i), except)
		}
		x.goOn()
		wantGot(t, "excepted", x.all[3], "first", "0", "1", "3", "4")
		wantGot(t, "another", x.all[4], "first", "0", "1", "2", "3", "4")
		if n := x.all[4].sends; n != 3 {
			t.Errorf("%d sends, want 3: the reply, the first event and five together", n)
		}
		if n := x.all[3].sends; n != 3 {
			t.Errorf("%d sends to the excepted one, want 3", n)
		}
	})
}

func TestManyExceptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "room", channels.Options{})
		defer x.h.Close()
		for i, s := range x.all { // more than are kept in a list
			say(t, x.h, "room", fmt.Sprint(i), s)
		}
		x.goOn()
		for i, s := range x.all {
			want := []string{"first"}
			for n := range x.all {
				if n != i {
					want = append(want, fmt.Sprint(n))
				}
			}
			wantGot(t, fmt.Sprint(i), s, want...)
		}
	})
}

func TestJoinWhileFramesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "cache-room", channels.Options{})
		defer x.h.Close()
		say(t, x.h, x.name, "1", nil)
		joiner := newSocket()
		join(t, x.h, x.name, joiner, "")
		wantGot(t, "joiner at once", joiner, succeeded(x.name), "1")
		say(t, x.h, x.name, "2", nil)
		say(t, x.h, x.name, "3", nil)
		x.goOn()
		wantGot(t, "joiner", joiner, "2", "3")
		wantGot(t, "another", x.all[4], "first", "1", "2", "3")
	})
}

func TestPresenceWhileFramesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, room, channels.Options{})
		defer x.h.Close()
		joiner := newSocket()
		say(t, x.h, room, "1", nil)
		sub := join(t, x.h, room, joiner, `{"user_id":"new"}`)
		if got := joiner.take(); len(got) != 1 || !strings.Contains(got[0], `\"new\":null}}}"`) {
			t.Errorf("joiner got %q at once", got)
		}
		say(t, x.h, room, "2", nil)
		rejoin(t, x.h, room, joiner, sub, `{"user_id":"newer"}`)
		say(t, x.h, room, "3", nil)
		x.h.Unsubscribe(x.subs[5])
		x.goOn()

		got := joiner.take()
		if len(got) != 4 || got[0] != "2" || !strings.Contains(got[1], `\"newer\":null}}}"`) || got[2] != "3" || got[3] != removed(room, "6") {
			t.Errorf("joiner got %q", got)
		}
		wantGot(t, "another", x.all[4], "first", "1", added(room, `{"user_id":"new"}`), "2",
			removed(room, `"new"`), added(room, `{"user_id":"newer"}`), "3", removed(room, "6"))
		wantGot(t, "who left", x.all[5])
		check(t, x.h)
	})
}

// A socket that leaves and comes back while frames wait is a new one.
func TestComeBackWhileFramesWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "room", channels.Options{})
		defer x.h.Close()
		s := x.all[6]
		say(t, x.h, "room", "1", nil)
		x.h.Unsubscribe(x.subs[6])
		join(t, x.h, "room", s, "")
		say(t, x.h, "room", "2", nil)
		x.goOn()
		wantGot(t, "s", s, succeeded("room"), "2")
	})
}

func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "presence-cache-room", channels.Options{PendingBytes: 10 * (channels.ItemCost + 10)})
		defer x.h.Close()
		accepted := []string{"first"}
		var err error
		for i := 0; err == nil && i < 1000; i++ {
			text := fmt.Sprint(i)
			if _, err = x.h.Broadcast(app, x.name, channels.Event{Message: outbound.New(text), Cache: true}); err == nil {
				accepted = append(accepted, text)
			}
		}
		if !errors.Is(err, channels.ErrBacklog) || len(accepted) > 13 {
			t.Fatalf("%d frames accepted, then %v", len(accepted), err)
		}
		if info, _ := x.h.Info(app, x.name); string(info.Cache) != accepted[len(accepted)-1] {
			t.Errorf("cached %s, want the last one accepted, %s", info.Cache, accepted[len(accepted)-1])
		}
		if _, err := x.h.Subscribe(app, x.name, newSocket(), nil, options(t, x.name, `{"user_id":99}`)); !errors.Is(err, channels.ErrBacklog) {
			t.Errorf("a join that must be announced: %v", err)
		}
		x.h.Unsubscribe(x.subs[5]) // is announced all the same
		accepted = append(accepted, removed(x.name, "6"))
		x.goOn()
		wantGot(t, "another", x.all[4], accepted...)
		say(t, x.h, x.name, "again", nil)
		synctest.Wait()
		wantGot(t, "another", x.all[4], "again")
		check(t, x.h)
	})
}

// A member who subscribes again and again has one reply waiting: rosters are long, and a hundred would leave no room
// for the events of others.
func TestOneReplyWaitsForEachSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, room, channels.Options{PendingBytes: 4096})
		defer x.h.Close()
		again := func() error {
			_, err := x.h.Subscribe(app, room, x.all[5], x.subs[5], options(t, room, `{"user_id":6}`))
			return err
		}
		if err := again(); err != nil {
			t.Fatalf("once: %v", err)
		}
		for range 100 {
			if err := again(); !errors.Is(err, channels.ErrBacklog) {
				t.Fatalf("while a reply waits: %v, want %v", err, channels.ErrBacklog)
			}
		}
		say(t, x.h, room, "1", nil)
		x.goOn()
		if got := x.all[5].take(); len(got) != 3 || got[2] != "1" {
			t.Errorf("got %q, want what waited, one reply and 1", got)
		}
		if err := again(); err != nil {
			t.Errorf("after the reply: %v", err)
		}
		check(t, x.h)
	})
}

// A backlog of megabytes reaches a socket in portions, in order.
func TestPassIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newStandstill(t, "room", channels.Options{})
		defer x.h.Close()
		want := []string{"first"}
		for i := range 2000 {
			text := fmt.Sprintf("%d %s", i, strings.Repeat("x", 200))
			want = append(want, text)
			say(t, x.h, "room", text, nil)
		}
		large := strings.Repeat("y", 2*channels.PassBytes)
		want = append(want, large, "last")
		say(t, x.h, "room", large, nil)
		say(t, x.h, "room", "last", nil)
		x.goOn()
		s := x.all[7]
		if s.sends < 2000*200/channels.PassBytes || s.sends > 20 {
			t.Errorf("%d sends", s.sends)
		}
		if got := s.take(); !slices.Equal(got, want) {
			t.Errorf("got %d events, want %d, or not in order", len(got), len(want))
		}
		check(t, x.h)
	})
}

// A small channel has its turn between the slices of a giant one.
func TestGiantDoesNotStarveSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := channels.NewHub(channels.Options{Workers: 1})
		defer h.Close()
		giant, small := newSockets(4*channels.SliceLen), newSockets(channels.InlineMax+1)
		for _, s := range giant {
			join(t, h, "giant", s, "")
		}
		for _, s := range small {
			join(t, h, "small", s, "")
			s.take()
		}
		first, third := make(chan struct{}), make(chan struct{})
		giant[0].hold, giant[2*channels.SliceLen].hold = first, third
		last := giant[len(giant)-1]
		last.take()

		say(t, h, "giant", "1", nil) // the worker stands in the first slice
		synctest.Wait()
		say(t, h, "small", "2", nil) // in the line behind the second slice, before the third
		close(first)
		synctest.Wait()
		wantGot(t, "small", small[0], "2")
		wantGot(t, "last of the giant", last)
		close(third)
		synctest.Wait()
		wantGot(t, "last of the giant", last, "1")
	})
}

func TestChannelsByPrefix(t *testing.T) {
	h := newHub(t, channels.Options{})
	for _, name := range []string{"presence-b", "private-x", "presence-a", "presence-a"} {
		join(t, h, name, newSocket(), "")
	}
	var got []string
	for _, info := range h.Channels(app, "presence-") {
		got = append(got, fmt.Sprintf("%s %d", info.Name, info.Subscriptions))
	}
	if want := []string{"presence-a 2", "presence-b 1"}; !slices.Equal(got, want) {
		t.Errorf("Channels: %q, want %q", got, want)
	}
	if all := h.Channels(app, ""); len(all) != 3 {
		t.Errorf("all channels: %v", all)
	}
	if none := h.Channels("none", ""); none == nil || len(none) > 0 {
		t.Errorf("channels of no app: %#v", none)
	}
	if h.Occupied(app, "nobody") || !h.Occupied(app, "private-x") {
		t.Errorf("Occupied is wrong")
	}
	if _, ok := h.Members(app, "nobody"); ok {
		t.Errorf("Members of a channel that is not there")
	}
}
