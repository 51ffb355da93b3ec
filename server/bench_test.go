package server_test

import (
	"fmt"
	"strings"
	"testing"

	"reverb/protocol"
	"reverb/server"
	"reverb/transport"
	"reverb/transport/transporttest"
)

// silent is an established session that is subscribed to a private channel and is sent nothing more.
func silent(b testing.TB, n *node) transport.Receiver {
	b.Helper()
	conn := new(transporttest.Conn)
	r := n.Open(conn, &transport.Request{Path: "/app/key"})
	id, _ := protocol.ParseSocketID(socketIDs.FindStringSubmatch(conn.Take()[0])[1])
	auth := "key:" + protocol.ChannelSignature("secret", id, "private-a", "")
	r.Message(fmt.Appendf(nil, `{"event":"pusher:subscribe","data":{"channel":"private-a","auth":%q}}`, auth), false)
	b.Cleanup(func() { r.Closed(transport.ReasonHangup) })
	return r
}

func benchNode(b testing.TB) *node {
	b.Helper()
	n := newNode(b, configured(appWith(nil)), nil)
	b.Cleanup(n.stop)
	return n
}

// A message that needs nothing of the app's settings but whether it limits.
func BenchmarkUnsubscribe(b *testing.B) {
	r := silent(b, benchNode(b))
	payload := []byte(`{"event":"pusher:unsubscribe","data":{"channel":"room"}}`)
	b.ReportAllocs()
	for b.Loop() {
		r.Message(payload, false)
	}
}

// A channel that is joined and left.
func BenchmarkSubscribe(b *testing.B) {
	r := silent(b, benchNode(b))
	subscribe := []byte(`{"event":"pusher:subscribe","data":{"channel":"room"}}`)
	unsubscribe := []byte(`{"event":"pusher:unsubscribe","data":{"channel":"room"}}`)
	b.ReportAllocs()
	for b.Loop() {
		r.Message(subscribe, false)
		r.Message(unsubscribe, false)
	}
}

// A connection that comes, subscribes to some channels and goes.
func BenchmarkConnectionOfChannels(b *testing.B) {
	for _, channels := range []int{1, 3, 100} {
		b.Run(fmt.Sprint(channels), func(b *testing.B) {
			n := benchNode(b)
			r := &transport.Request{Path: "/app/key"}
			var subscribes [][]byte
			for i := range channels {
				subscribes = append(subscribes, fmt.Appendf(nil, `{"event":"pusher:subscribe","data":{"channel":"room-%d"}}`, i))
			}
			b.ReportAllocs()
			for b.Loop() {
				s := n.Open(transporttest.Discard{}, r)
				for _, subscribe := range subscribes {
					s.Message(subscribe, false)
				}
				s.Closed(transport.ReasonHangup)
			}
		})
	}
}

// A client event costs the name of its channel and its message.
func TestClientEventAllocations(t *testing.T) {
	r := silent(t, benchNode(t))
	payload := []byte(`{"event":"client-typing","channel":"private-a","data":{"user":1}}`)
	if got := testing.AllocsPerRun(100, func() { r.Message(payload, false) }); got > 2 {
		t.Errorf("%v allocations, want 2", got)
	}
}

// A client event, of which the settings say who may send it, and how it may look.
func BenchmarkClientEvent(b *testing.B) {
	r := silent(b, benchNode(b))
	payload := []byte(`{"event":"client-typing","channel":"private-a","data":{"user":1}}`)
	b.ReportAllocs()
	for b.Loop() {
		r.Message(payload, false)
	}
}

// An event of the HTTP API for a channel where nobody is.
func BenchmarkPublish(b *testing.B) {
	n := benchNode(b)
	conf := n.App("1")
	p := server.Publication{Event: "e", Data: "{}", Channels: []string{"nobody"}}
	b.ReportAllocs()
	for b.Loop() {
		if err := n.Publish(b.Context(), conf, p); err != nil {
			b.Fatal(err)
		}
	}
}

// A connection that comes and goes.
func BenchmarkOpen(b *testing.B) {
	n := benchNode(b)
	r := &transport.Request{Path: "/app/key"}
	b.ReportAllocs()
	for b.Loop() {
		n.Open(transporttest.Discard{}, r).Closed(transport.ReasonHangup)
	}
}

// A subscribe to a cache channel that has an event, and its end.
func BenchmarkCachedEvent(b *testing.B) {
	n := benchNode(b)
	r := n.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"})
	other := n.Open(transporttest.Discard{}, &transport.Request{Path: "/app/key"})
	subscribe := []byte(`{"event":"pusher:subscribe","data":{"channel":"cache-a"}}`)
	unsubscribe := []byte(`{"event":"pusher:unsubscribe","data":{"channel":"cache-a"}}`)
	other.Message(subscribe, false)
	n.publish(server.Publication{Event: "e", Data: strings.Repeat("x", 200), Channels: []string{"cache-a"}})
	b.ReportAllocs()
	for b.Loop() {
		r.Message(subscribe, false)
		r.Message(unsubscribe, false)
	}
}
