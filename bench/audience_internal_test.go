package bench

import (
	"fmt"
	"testing"
)

// Which subscription an event came to is reckoned from connection and channel: it must be the one that was subscribed.
func TestSubscriptions(t *testing.T) {
	for _, tc := range []struct{ channels, subscribers, connections int }{
		{1, 1, 1}, {1, 10, 10}, {10, 1, 10}, {100, 1, 7}, {20, 3, 7}, {20, 7, 7}, {5, 4, 20}, {3, 5, 6}, {5, 2, 100},
	} {
		t.Run(fmt.Sprint(tc), func(t *testing.T) {
			set := defaults()
			a, err := newAudience(&rig{set: set}, tc.channels, tc.subscribers, tc.connections, 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			seen := map[int]bool{}
			for n := range tc.connections {
				l, on := &listener{a, n}, map[int]bool{}
				for k := n; k < tc.channels*tc.subscribers; k += tc.connections {
					channel := k / tc.subscribers
					if on[channel] {
						t.Fatalf("connection %d is on channel %d twice", n, channel)
					}
					on[channel] = true
					if got, ok := l.subscription([]byte(set.channel(channel))); !ok || got != k {
						t.Fatalf("connection %d, channel %d: subscription %d, %v, want %d", n, channel, got, ok, k)
					}
					seen[k] = true
				}
				for channel := range tc.channels {
					if _, ok := l.subscription([]byte(set.channel(channel))); ok != on[channel] {
						t.Fatalf("connection %d, channel %d: subscribed %v, want %v", n, channel, ok, on[channel])
					}
				}
			}
			if len(seen) != tc.channels*tc.subscribers {
				t.Errorf("%d subscriptions, want %d", len(seen), tc.channels*tc.subscribers)
			}
			l := &listener{a, 0}
			for _, name := range []string{"", "bench-x", "bench-99999999999999999999999", fmt.Sprintf("bench-%d", tc.channels)} {
				if _, ok := l.subscription([]byte(name)); ok {
					t.Errorf("channel %q is taken for one of ours", name)
				}
			}
		})
	}
	if _, err := newAudience(&rig{}, 1, 10, 9, 1, 1); err == nil {
		t.Error("10 subscribers of a channel were put on 9 connections")
	}
}
