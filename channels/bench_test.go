package channels_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"reverb/channels"
	"reverb/outbound"
	"reverb/protocol"
)

// maxChannelBytes is what one channel with one subscriber may cost: the map's slot, the Channel, the Subscription and
// the name.
const maxChannelBytes = 250

func TestMemoryPerChannel(t *testing.T) {
	if channels.ChannelSize > 80 || channels.SubscriptionSize > 64 {
		t.Errorf("a Channel is %d bytes, a Subscription %d; the next size classes are 96 and 80", channels.ChannelSize, channels.SubscriptionSize)
	}
	for _, n := range []int{10_000, 18_000, 30_000} {
		if got := bytesPerChannel(t, n); got > maxChannelBytes {
			t.Errorf("%d channels: %.0f bytes each, want at most %d", n, got, maxChannelBytes)
		} else {
			t.Logf("%d channels: %.0f bytes each", n, got)
		}
	}
}

func bytesPerChannel(tb testing.TB, n int) float64 {
	tb.Helper()
	h := newHub(tb, channels.Options{})
	sockets := make([]discard, n)
	subs := make([]*channels.Subscription, n)
	before := heap()
	for i := range sockets {
		sockets[i].id = protocol.NewSocketID()
		subs[i] = join(tb, h, fmt.Sprintf("private-App.Models.User.%d", i), &sockets[i], "")
	}
	bytes := float64(heap()-before) / float64(n)
	runtime.KeepAlive(subs)
	runtime.KeepAlive(h)
	return bytes
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestBroadcastAllocs(t *testing.T) {
	for _, n := range []int{1, channels.InlineMax} {
		h := newHub(t, channels.Options{})
		crowd(t, h, "room", n)
		message := outbound.New("{}")
		if got := testing.AllocsPerRun(100, func() { publish(h, "room", message) }); got > 0 {
			t.Errorf("%d subscribers: %v allocations, want 0", n, got)
		}
	}
}

func crowd(tb testing.TB, h *channels.Hub, name string, n int) {
	tb.Helper()
	for range n {
		join(tb, h, name, &discard{id: protocol.NewSocketID()}, "")
	}
}

// publish waits while the workers are behind.
func publish(h *channels.Hub, name string, message outbound.Message) {
	for {
		_, err := h.Broadcast(app, name, channels.Event{Message: message})
		if err == nil {
			return
		}
		runtime.Gosched()
	}
}

// BenchmarkBroadcast publishes as fast as it goes to sockets that cost nothing: what is left is the hub.
func BenchmarkBroadcast(b *testing.B) {
	for _, n := range []int{1, 8, 10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var deliveries atomic.Int64
			h := channels.NewHub(channels.Options{OnPass: func(_ string, _, n int, _ float64) { deliveries.Add(int64(n)) }})
			crowd(b, h, "room", n)
			message := outbound.New(make([]byte, 200))
			b.ReportAllocs()
			for b.Loop() {
				publish(h, "room", message)
			}
			h.Close()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(deliveries.Load(), 1)), "ns/delivery")
		})
	}
}

// BenchmarkPass has one frame in each pass: the walk, with nothing joined.
func BenchmarkPass(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			done := make(chan struct{})
			h := newHub(b, channels.Options{OnPass: func(string, int, int, float64) { done <- struct{}{} }})
			crowd(b, h, "room", n)
			message := outbound.New(make([]byte, 200))
			for b.Loop() {
				publish(h, "room", message)
				<-done
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/delivery")
		})
	}
}

// costly is a Subscriber whose Send keeps the processor about as long as a system call does.
type costly struct{ id protocol.SocketID }

func (c *costly) SocketID() protocol.SocketID { return c.id }

func (c *costly) Encoding() *outbound.Encoding { return outbound.TextFrame }

func (c *costly) Send([]byte) {
	for start := time.Now(); time.Since(start) < 5*time.Microsecond; {
	}
}

func (c *costly) Answer(encoded []byte) { c.Send(encoded) }

// BenchmarkCostlySends is what inlineMax was chosen by: sends of 5 µs, one publisher and several.
func BenchmarkCostlySends(b *testing.B) {
	for _, n := range []int{1, 4, 8, 16, 32, 64} {
		for _, parallel := range []int{0, 1, 8} {
			b.Run(fmt.Sprintf("%d/publishers=%d", n, parallel), func(b *testing.B) {
				h := channels.NewHub(channels.Options{})
				for range n {
					join(b, h, "room", &costly{id: protocol.NewSocketID()}, "")
				}
				message := outbound.New(make([]byte, 200))
				if parallel == 0 {
					for b.Loop() {
						publish(h, "room", message)
					}
				} else {
					b.SetParallelism(parallel)
					b.RunParallel(func(p *testing.PB) {
						for p.Next() {
							publish(h, "room", message)
						}
					})
				}
				h.Close()
			})
		}
	}
}

// BenchmarkChannels publishes to one of many channels after the other.
func BenchmarkChannels(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHub(b, channels.Options{})
			names := make([]string, n)
			for i := range names {
				names[i] = fmt.Sprintf("private-App.Models.User.%d", i)
				crowd(b, h, names[i], 1)
			}
			message := outbound.New(make([]byte, 200))
			var i atomic.Int64
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				k := int(i.Add(1)) * 7919
				for p.Next() {
					publish(h, names[k%n], message)
					k += 104_729
				}
			})
		})
	}
}

// BenchmarkJoinLeave is one socket that comes and goes, alone and among many.
func BenchmarkJoinLeave(b *testing.B) {
	for _, n := range []int{0, 1, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			h := newHub(b, channels.Options{})
			crowd(b, h, "private-room", n)
			s := &discard{id: protocol.NewSocketID()}
			b.ReportAllocs()
			for b.Loop() {
				h.Unsubscribe(join(b, h, "private-room", s, ""))
			}
		})
	}
}

// BenchmarkPresenceJoin fills a presence channel: every reply holds all who came before.
func BenchmarkPresenceJoin(b *testing.B) {
	for _, n := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				h := channels.NewHub(channels.Options{})
				for i := range n {
					join(b, h, room, &discard{id: protocol.NewSocketID()}, fmt.Sprintf(`{"user_id":%d,"user_info":{"name":"User %d","avatar":"https://x.test/%d.png"}}`, i+1, i, i))
				}
				h.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(n), "µs/join")
		})
	}
}

func BenchmarkMemoryPerChannel(b *testing.B) {
	for b.Loop() {
		b.ReportMetric(bytesPerChannel(b, 100_000), "B/channel")
	}
}
