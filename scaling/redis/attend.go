package redis

import (
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// attendEvery is how often a server is asked whether it still is what it was.
const attendEvery = time.Second

// Attend ends a link to a server that has become a replica, or that does not come round from loading its data; it returns when the link has
// ended. Such a server keeps its connections, serves subscriptions and takes publications, which then reach nobody; and behind the address
// that it was found by there may be another one now. A cluster tells of its changes itself.
func (l *Link) Attend() {
	tick := time.NewTicker(attendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.lost:
			return
		}
		replies := l.Do(l.B().Arbitrary("HELLO").Build(), l.B().Ping().Build())
		if hello, err := replies[0].AsMap(); err == nil && l.dialer.Kind != Node {
			role := hello["role"]
			if text, _ := role.ToString(); isReplica(text) {
				l.End(errNotMaster)
			}
		}
		err, _ := rueidis.IsRedisErr(replies[1].Error())
		l.Judge(err)
	}
}

// isReplica says whether HELLO has named a replica. Servers that say something else, or nothing, are taken as they are.
func isReplica(role string) bool { return role == "replica" || role == "slave" }

// Judge ends the link over answers that say that the server is not, or not for long, what it was. err is the answer of Redis, nil for
// something better.
func (l *Link) Judge(err *rueidis.RedisError) {
	code := ""
	if err != nil {
		code = Code(err.Error())
	}
	switch {
	case code == "READONLY" && l.dialer.Kind != Node:
		l.End(fmt.Errorf("%w: %w", errNotMaster, err))
	case code != "LOADING" && code != "MASTERDOWN":
		l.unready.Store(0)
	case l.unready.CompareAndSwap(0, time.Now().UnixNano()):
	case time.Since(time.Unix(0, l.unready.Load())) > l.dialer.Reply:
		l.End(err)
	}
}
