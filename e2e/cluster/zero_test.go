package cluster_test

import (
	"testing"

	"reverb/internal/redistest"
)

// The user 0 comes once and goes once, like any other, whichever nodes its sockets are on.
func TestUserZero(t *testing.T) {
	redis := redistest.Start(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			near, far := startNode(t, mode, redis, options{}), startNode(t, mode, redis, options{})
			channel := "presence-" + mode
			watcher, first, second := near.connect(), near.connect(), far.connect()
			watcher.Join(secret, channel, member(1))
			first.Join(secret, channel, member(0))
			second.Join(secret, channel, member(0))
			watcher.Expect(added(channel, 0))
			first.Close()
			second.Send(`{"event":"client-x","channel":"` + channel + `","data":{}}`)
			watcher.Expect(`{"event":"client-x","channel":"` + channel + `","data":{},"user_id":0}`)
			second.Close()
			watcher.Expect(removed(channel, 0))
		})
	}
}
