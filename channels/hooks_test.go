package channels_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"reverb/channels"
)

// What a subscribe is answered with is told apart from passes; a cache channel answers with two frames.
func TestOnReply(t *testing.T) {
	var told []string
	h := channels.NewHub(channels.Options{
		OnPass: func(_ string, frames, deliveries int, _ float64) {
			told = append(told, fmt.Sprint("pass ", frames, " ", deliveries))
		},
		OnReply: func(app string, frames int) { told = append(told, fmt.Sprint(app, " ", frames)) },
	})
	defer h.Close()
	join(t, h, "room", newSocket(), "")
	join(t, h, "cache-room", newSocket(), "")
	join(t, h, room, newSocket(), `{"user_id":1}`)
	if want := []string{"app 1", "app 2", "pass 1 0", "app 1"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestOnPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		o := channels.Options{Workers: 1, OnPass: func(app string, frames, deliveries int, seconds float64) {
			if seconds < 0 {
				t.Errorf("a pass of %v seconds", seconds)
			}
			told = append(told, fmt.Sprint(app, " ", frames, " ", deliveries))
		}}
		h := channels.NewHub(o)
		a := newSocket()
		join(t, h, room, a, `{"user_id":1}`)
		join(t, h, room, newSocket(), `{"user_id":2}`)
		say(t, h, room, "1", a)
		h.Close()

		x := newStandstill(t, "room", o)
		for range 3 {
			say(t, x.h, "room", "2", x.all[1])
		}
		x.goOn()
		x.h.Close()
		n := len(x.all)
		want := []string{"app 1 0", "app 1 1", "app 1 1", fmt.Sprint("app 1 ", n), fmt.Sprint("app 3 ", 3*(n-1))}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

// A worker lets others have their turn after each slice of a large pass, and after as many deliveries in small ones.
func TestWorkerGivesTurns(t *testing.T) {
	for name, tc := range map[string]struct{ channels, subscribers, turns int }{
		"one large pass":   {1, 3 * channels.SliceLen, 3},
		"many small ones":  {100, channels.InlineMax + 1, 100 * (channels.InlineMax + 1) / (channels.SliceLen + channels.InlineMax)},
		"by the publisher": {1, channels.InlineMax, 0},
	} {
		t.Run(name, func(t *testing.T) {
			makers, turns := 0, 0 // by one worker
			h := channels.NewHub(channels.Options{Workers: 1, NewTurn: func() func() {
				makers++
				return func() { turns++ }
			}})
			for n := range tc.channels {
				crowd(t, h, fmt.Sprint(n), tc.subscribers)
				say(t, h, fmt.Sprint(n), "1", newSocket())
			}
			h.Close()
			if makers != 1 || turns != tc.turns {
				t.Errorf("%d turns by %d workers, want %d by 1", turns, makers, tc.turns)
			}
		})
	}
}
