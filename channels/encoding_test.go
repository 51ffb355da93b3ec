package channels_test

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

// listener is a socket with an encoding of its own.
type listener struct {
	socket
	encoding *outbound.Encoding
	buffers  []*byte // where the bytes of each Send begin
}

func (l *listener) Encoding() *outbound.Encoding { return l.encoding }

func (l *listener) Send(encoded []byte) {
	l.socket.Send(encoded)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buffers = append(l.buffers, &encoded[0])
}

func (l *listener) Answer(encoded []byte) { l.Send(encoded) }

// countedLines is an encoding like lines, and how many messages it has encoded.
func countedLines() (*outbound.Encoding, *atomic.Int32) {
	made := new(atomic.Int32)
	return outbound.NewEncoding(func(dst, json []byte) []byte {
		made.Add(1)
		return append(append(dst, json...), '\n')
	}), made
}

// crowdOf joins n listeners to the channel, every other one with the encoding e.
func crowdOf(t *testing.T, h *channels.Hub, name string, n int, e *outbound.Encoding) []*listener {
	t.Helper()
	all := make([]*listener, n)
	for i := range all {
		all[i] = &listener{socket: socket{id: protocol.NewSocketID()}, encoding: outbound.TextFrame}
		if all[i].line = i%2 == 1; all[i].line {
			all[i].encoding = e
		}
		join(t, h, name, all[i], "")
		all[i].take()
		all[i].buffers = nil
	}
	return all
}

// All receivers of a walk or a pass share one buffer for each encoding, and each message is encoded once for all of
// them.
func TestReceiversShareEncodings(t *testing.T) {
	for _, n := range []int{2, channels.InlineMax, channels.InlineMax + 1, 3 * channels.SliceLen} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := channels.NewHub(channels.Options{})
				defer h.Close()
				lines, made := countedLines()
				all := crowdOf(t, h, "room", n, lines)
				before := made.Load()
				say(t, h, "room", `{"n":1}`, nil)
				synctest.Wait()
				if got := made.Load() - before; got != 1 {
					t.Errorf("encoded %d times, want once", got)
				}
				for i, l := range all {
					if got := l.take(); !slices.Equal(got, []string{`{"n":1}`}) {
						t.Fatalf("listener %d got %q", i, got)
					}
					if *l.buffers[0] != *all[i%2].buffers[0] || l.buffers[0] != all[i%2].buffers[0] {
						t.Errorf("listener %d has a buffer of its own", i)
					}
				}
			})
		})
	}
}

// Messages that waited go out as one buffer in each encoding that is in use, and none is made of an encoding that is
// not.
func TestPassHasOneBufferPerEncoding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := channels.NewHub(channels.Options{})
		defer h.Close()
		lines, made := countedLines()
		all := crowdOf(t, h, "room", 10, lines)
		gate := make(chan struct{})
		for _, l := range all {
			l.hold = gate
		}
		before := made.Load()
		say(t, h, "room", "1", nil) // the pass that stands still
		synctest.Wait()
		say(t, h, "room", "2", nil)
		say(t, h, "room", "3", &all[1].socket) // a mix for one of them
		close(gate)
		synctest.Wait()
		for i, l := range all {
			want := []string{"1", "2", "3"}
			if i == 1 {
				want = []string{"1", "2"}
			}
			if got := l.take(); !slices.Equal(got, want) {
				t.Errorf("listener %d got %q, want %q", i, got, want)
			}
			if i > 1 && (len(l.buffers) != 2 || l.buffers[1] != all[2+i%2].buffers[1]) {
				t.Errorf("listener %d has %d buffers, or a second of its own", i, len(l.buffers))
			}
		}
		if got := made.Load() - before; got != 4 { // three for all, and the second again for the mix
			t.Errorf("encoded %d times, want 4", got)
		}
	})
}

// The reply, the cached event and announcements come in the encoding of the socket, too.
func TestRepliesAreEncoded(t *testing.T) {
	h := newHub(t, channels.Options{})
	const name = "presence-cache-room"
	first, second := newSocket(), newSocket()
	first.line, second.line = true, true
	join(t, h, name, first, `{"user_id":1}`)
	say(t, h, name, `{"n":1}`, nil)
	join(t, h, name, second, `{"user_id":2}`)
	wantGot(t, "first", first,
		internal("subscription_succeeded", name, `{"presence":{"count":1,"ids":[1],"hash":{"1":null}}}`), miss(name), `{"n":1}`,
		added(name, `{"user_id":2}`))
	wantGot(t, "second", second,
		internal("subscription_succeeded", name, `{"presence":{"count":2,"ids":[1,2],"hash":{"1":null,"2":null}}}`), `{"n":1}`)
}

// A cached event is held once: a subscriber gets the frame that was published.
func TestCachedEventIsNotCopied(t *testing.T) {
	h := newHub(t, channels.Options{})
	join(t, h, "cache-room", newSocket(), "")
	m := outbound.New(`{"n":1}`)
	if _, err := h.Broadcast(app, "cache-room", channels.Event{Message: m, Cache: true}); err != nil {
		t.Fatal(err)
	}
	late := &listener{socket: socket{id: protocol.NewSocketID()}, encoding: outbound.TextFrame}
	join(t, h, "cache-room", late, "")
	if frame := m.In(outbound.TextFrame); len(late.buffers) != 2 || late.buffers[1] != &frame[0] {
		t.Errorf("got %d buffers, or a copy of the event", len(late.buffers))
	}
}
