package channels_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"reverb/channels"
	"reverb/outbound"
)

// The cached events of an app hold a bounded number of bytes, those of clients apart from those of the application.
func TestCachedBytesAreBounded(t *testing.T) {
	const limit, size, events = 64 << 10, 1 << 10, 100
	uncached := map[bool]int{}
	h := newHub(t, channels.Options{
		CacheLimit: func(string, bool) int64 { return limit },
		OnUncached: func(_ string, client bool) { uncached[client]++ },
	})
	event := fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", size))
	store := func(name string, client bool, text string) {
		t.Helper()
		e := channels.Event{Message: outbound.New(text), Cache: true, Client: client}
		if _, err := h.Broadcast(app, name, e); err != nil {
			t.Fatal(err)
		}
	}
	for _, client := range []bool{true, false} {
		var subs []*channels.Subscription
		names, kept := []string{}, 0
		for i := range events {
			names = append(names, fmt.Sprintf("cache-%v-%d", client, i))
			subs = append(subs, join(t, h, names[i], newSocket(), ""))
			store(names[i], client, event)
		}
		for _, name := range names {
			if info, _ := h.Info(app, name); info.Cache != nil {
				kept++
			}
		}
		if kept*size > limit || kept*size < limit/2 || kept+uncached[client] != events {
			t.Errorf("client %v: %d events of %d B are kept, %d not, bound %d B", client, kept, size, uncached[client], limit)
		}
		// An event that does not fit takes the place of the one before all the same: nobody is told an old one.
		store(names[0], client, fmt.Sprintf(`{"x":%q}`, strings.Repeat("y", limit)))
		if info, _ := h.Info(app, names[0]); info.Cache != nil {
			t.Errorf("client %v: an older event is still kept", client)
		}
		// A channel that its last subscriber leaves gives the room back.
		for _, s := range subs {
			h.Unsubscribe(s)
		}
		again := join(t, h, names[0], newSocket(), "")
		store(names[0], client, event)
		if info, _ := h.Info(app, names[0]); info.Cache == nil {
			t.Errorf("client %v: there is no room though nothing is kept", client)
		}
		h.Unsubscribe(again)
	}
}

// A channel that is only held keeps no client's event, neither a new one nor that of its last subscriber.
func TestHeldChannelKeepsNoClientEvent(t *testing.T) {
	h := newHub(t, channels.Options{Replicated: true})
	const name = "cache-room"
	h.Hold(app, name, options(t, name, ""))
	e := channels.Event{Message: outbound.New(`{}`), Cache: true, Client: true}
	for _, present := range []bool{false, true} {
		var s *channels.Subscription
		if present {
			s = join(t, h, name, newSocket(), "")
		}
		if _, err := h.Broadcast(app, name, e); err != nil {
			t.Fatal(err)
		}
		if s != nil {
			h.Unsubscribe(s)
		}
		late := newSocket()
		sub := join(t, h, name, late, "")
		wantGot(t, "late", late, succeeded(name), miss(name))
		h.Unsubscribe(sub)
	}
}

// One client in many crowded channels cannot fill what waits for all of them, and the application's events have their
// room all the same.
func TestClientEventsThatWaitAreBounded(t *testing.T) {
	const limit, size = 64 << 10, 1 << 10
	h := newHub(t, channels.Options{Workers: 1, ClientPendingBytes: limit})
	gate := make(chan struct{})
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf("room-%d", i))
		for range channels.InlineMax + 1 {
			s := newSocket()
			join(t, h, names[i], s, "")
			s.hold = gate
		}
	}
	message := outbound.New(strings.Repeat("x", size))
	taken, refused := 0, 0
	for range 10 {
		for _, name := range names {
			switch _, err := h.Broadcast(app, name, channels.Event{Message: message, Client: true}); {
			case err == nil:
				taken++
			case errors.Is(err, channels.ErrBacklog):
				refused++
			default:
				t.Fatal(err)
			}
			if _, err := h.Broadcast(app, name, channels.Event{Message: message}); err != nil {
				t.Fatalf("an event of the application: %v", err)
			}
		}
	}
	close(gate)
	if bytes := taken * size; bytes < limit/2 || bytes > 2*limit || refused == 0 {
		t.Errorf("%d B of clients' events wait, %d were refused, bound %d B", bytes, refused, limit)
	}
	h.Close()
	check(t, h)
}
