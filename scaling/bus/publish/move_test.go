package publish_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"reverb/scaling/bus/publish"
	"reverb/scaling/redis"
)

// longestWait is how long Publish may take, which event loops call, also while masters change.
const longestWait = 2 * time.Millisecond

// Much more waits than the default buffer takes, in small messages, and moves from master to master: no publication waits for that. A machine
// that is busy with other things holds up a call too, but not in each of five moves.
func TestPublishWaitsForNoMove(t *testing.T) {
	const messages, bytes = 500_000, 1 << 30
	p := publish.New(publish.Options{
		BufferBytes: bytes, BufferAge: time.Hour, Log: slog.New(slog.DiscardHandler), Dropped: func(string, int) {},
	})
	n := 0
	for ; n < messages; n++ {
		if err := p.Publish(publish.Message{Name: "x", Payload: []byte("m")}); err != nil {
			t.Fatal(err)
		}
	}
	best := time.Hour
	for i := range 5 {
		addr := fmt.Sprint("master ", i)
		pipeline := p.NewPipeline()
		moved := make(chan struct{})
		go func() {
			defer close(moved)
			p.Move([]redis.Master{{Addr: addr}}, func(string) *publish.Pipeline { return pipeline })
		}()
		worst := time.Duration(0)
		tick := time.NewTicker(100 * time.Microsecond)
		for moving := true; moving; {
			select {
			case <-moved:
				moving = false
			case <-tick.C:
			}
			start := time.Now()
			if err := p.Publish(publish.Message{Name: "x", Payload: []byte("m")}); err == nil {
				n++
			}
			worst = max(worst, time.Since(start))
		}
		tick.Stop()
		best = min(best, worst)
	}
	if waiting, _ := p.Backlog(); waiting != n {
		t.Errorf("%d wait, %d were published", waiting, n)
	}
	t.Logf("the longest publish took %v while %d publications moved", best, n)
	if best > longestWait {
		t.Errorf("a publish took %v, at most %v is allowed", best, longestWait)
	}
}
