package channels_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"reverb/channels"
)

func TestInspect(t *testing.T) {
	h := newHub(t, channels.Options{})
	sockets := newSockets(1000)
	for i, s := range sockets {
		join(t, h, "crowd", s, "")
		if i < 3 {
			join(t, h, fmt.Sprintf("small.%d", i), s, "")
		}
	}
	names := []string{}
	for info := range h.All("app") {
		names = append(names, info.Name)
	}
	slices.Sort(names)
	if want := []string{"crowd", "small.0", "small.1", "small.2"}; !slices.Equal(names, want) {
		t.Errorf("all channels: %q, want %q", names, want)
	}
	for _, i := range []int{0, 500, 999} {
		found := 0
		for p := range h.PlacesOf("app", sockets[i]) {
			if p.Subscriber != sockets[i] {
				t.Errorf("socket %d: a place of another in %s", i, p.Channel)
			}
			found++
		}
		want := 1
		if i < 3 {
			want = 2
		}
		if found != want {
			t.Errorf("socket %d: %d places, want %d", i, found, want)
		}
	}
	for range h.PlacesOf("another", sockets[0]) {
		t.Error("a place in another app")
	}
	for _, tt := range []struct{ skip, most, want int }{{0, 10, 10}, {995, 10, 5}, {2000, 10, 0}, {-1, -1, 0}} {
		if places, total := h.Places("app", "crowd", tt.skip, tt.most); len(places) != tt.want || total != 1000 {
			t.Errorf("after %d at most %d: %d of %d", tt.skip, tt.most, len(places), total)
		}
	}
	if places, total := h.Places("app", "nobody", 0, 10); len(places) != 0 || total != 0 {
		t.Errorf("nobody's channel: %d of %d", len(places), total)
	}
}

// Who stays is found although others leave around him all the time.
func TestInspectOverlooksNobody(t *testing.T) {
	h := newHub(t, channels.Options{})
	sockets := newSockets(900)
	subs := make([]*channels.Subscription, len(sockets))
	for i, s := range sockets {
		subs[i] = join(t, h, "crowd", s, "")
	}
	stays := sockets[450]
	var leaving sync.WaitGroup
	leaving.Go(func() {
		for i, sub := range subs {
			if sockets[i] != stays {
				h.Unsubscribe(sub)
			}
		}
	})
	for range 200 {
		found := 0
		for range h.PlacesOf("app", stays) {
			found++
		}
		if found != 1 {
			t.Errorf("found %d times, want once", found)
			break
		}
	}
	leaving.Wait()
}
