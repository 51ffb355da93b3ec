package cluster_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"reverb/internal/redistest"
	"reverb/internal/testclient"
)

// Events that many publish to one node at the same time have one order, in a small channel and in a large one: its clients and those of other nodes see
// the same.
func TestParallelPublishersHaveOneOrder(t *testing.T) {
	const publishers, events = 12, 100
	redis := redistest.Start(t)
	for _, mode := range modes {
		for _, more := range []int{0, 6} {
			t.Run(fmt.Sprintf("%s, %d more subscribers", mode, more), func(t *testing.T) {
				near, far := startNode(t, mode, redis, options{}), startNode(t, mode, redis, options{})
				channel := fmt.Sprintf("room-%s-%d", mode, more)
				readers := []*testclient.Client{near.connect(), near.connect(), far.connect()}
				for _, c := range readers {
					c.Join(secret, channel, "")
				}
				for range more {
					near.connect().Join(secret, channel, "")
				}
				var all sync.WaitGroup
				for p := range publishers {
					all.Go(func() {
						for i := range events {
							near.publish(channel, fmt.Sprint(p, " ", i), "")
						}
					})
				}
				seen := make([][]string, len(readers))
				for r, c := range readers {
					all.Go(func() {
						for range publishers * events {
							text, err := c.Read()
							if err != nil {
								t.Errorf("reader %d: %v", r, err)
								return
							}
							seen[r] = append(seen[r], text)
						}
					})
				}
				all.Wait()
				for r := range seen[1:] {
					if !slices.Equal(seen[0], seen[r+1]) {
						other := 0
						for i := range min(len(seen[0]), len(seen[r+1])) {
							if seen[0][i] != seen[r+1][i] {
								other++
							}
						}
						t.Errorf("reader %d sees %d of %d events at another place", r+1, other, publishers*events)
					}
				}
			})
		}
	}
}
