package bus_test

import (
	"fmt"
	"testing"

	"reverb/internal/redistest"
	"reverb/scaling/bus"
)

// What a publication costs, from Publish to Redis' reply; and the rate of a pipeline, which is Redis' own.
func BenchmarkPublish(b *testing.B) {
	for _, size := range []int{100, 1000} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			redis := redistest.Start(b)
			p := up(b, at(redis))
			m := bus.Message{Name: "P:{app/channel}", Payload: make([]byte, size)}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				for p.Publish(m) != nil { // full: let Redis catch up
					done := make(chan struct{})
					p.Do(bus.Command{Name: "PING"}, func(bus.Reply) { close(done) })
					<-done
				}
			}
			p.await("nothing to wait", func() bool { return p.State().Waiting == 0 })
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "publishes/s")
		})
	}
}

// From Publish on one node to Message on another.
func BenchmarkDelivery(b *testing.B) {
	redis := redistest.Start(b)
	arrived := make(chan struct{}, 1<<16)
	to, err := bus.Open(at(redis), bus.Hooks{Message: func(string, []byte) { arrived <- struct{}{} }, Up: func() {}})
	if err != nil {
		b.Fatal(err)
	}
	defer to.Close()
	from := up(b, at(redis))
	from.await("up", to.Up)
	done := make(chan error, 1)
	to.Subscribe("x", func(err error) { done <- err })
	if err := receive(b, done); err != nil {
		b.Fatal(err)
	}
	m := bus.Message{Name: "x", Payload: make([]byte, 200)}
	b.Run("one by one", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			_ = from.Publish(m)
			<-arrived
		}
	})
	b.Run("1000 in flight", func(b *testing.B) {
		b.ReportAllocs()
		sent := 0
		for i := range b.N {
			for ; sent < b.N && sent < i+1000; sent++ {
				_ = from.Publish(m)
			}
			<-arrived
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	})
}
