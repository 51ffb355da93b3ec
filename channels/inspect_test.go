package channels_test

import (
	"fmt"
	"slices"
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
	for _, tt := range []struct{ skip, most, want int }{{0, 10, 10}, {995, 10, 5}, {2000, 10, 0}, {-1, -1, 0}} {
		if places, total := h.Places("app", "crowd", tt.skip, tt.most); len(places) != tt.want || total != 1000 {
			t.Errorf("after %d at most %d: %d of %d", tt.skip, tt.most, len(places), total)
		}
	}
	if places, total := h.Places("app", "nobody", 0, 10); len(places) != 0 || total != 0 {
		t.Errorf("nobody's channel: %d of %d", len(places), total)
	}
}
