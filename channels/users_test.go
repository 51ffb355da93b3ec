package channels_test

import (
	"fmt"
	"testing"

	"reverb/channels"
)

// A user with more sockets than a list is searched for, each in several channels: a socket counts once, until it has
// left the last channel.
func TestUserSockets(t *testing.T) {
	h := newHub(t, channels.Options{})
	const rooms = 3
	sockets := newSockets(3 * channels.ListedSockets)
	subs := make(map[*socket][]*channels.Subscription)
	for i := range rooms {
		for _, s := range sockets {
			subs[s] = append(subs[s], join(t, h, fmt.Sprintf("presence-%d", i), s, `{"user_id":7}`))
		}
	}
	join(t, h, "private-other", newSocket(), `{"user_id":7}`) // a user is told by presence channels only
	want := func(n int) {
		t.Helper()
		if got := h.UserSockets(app, "7"); len(got) != n {
			t.Errorf("%d sockets, want %d", len(got), n)
		}
		check(t, h)
	}
	want(len(sockets))
	for left, s := range sockets {
		for i, sub := range subs[s] {
			if i == rooms-1 {
				want(len(sockets) - left)
			}
			h.Unsubscribe(sub)
		}
		want(len(sockets) - left - 1)
	}
	for _, other := range [][2]string{{"another", "7"}, {app, "8"}, {app, ""}} {
		if got := h.UserSockets(other[0], other[1]); len(got) != 0 {
			t.Errorf("app %q, user %q: %d sockets, want none", other[0], other[1], len(got))
		}
	}
}

// BenchmarkUserSockets asks for a user among many presence channels, most of them those of others.
func BenchmarkUserSockets(b *testing.B) {
	for _, n := range []int{100, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHub(b, channels.Options{})
			for i := range n {
				join(b, h, fmt.Sprintf("presence-room.%d", i), &discard{}, fmt.Sprintf(`{"user_id":%d}`, i))
			}
			b.ReportAllocs()
			for b.Loop() {
				if len(h.UserSockets(app, "7")) != 1 {
					b.Fatal("user 7 was not found")
				}
			}
		})
	}
}
