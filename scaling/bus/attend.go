package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

var errNotMaster = errors.New("the server is a replica")

// attendEvery is how often a server is asked whether it still is what it was.
const attendEvery = time.Second

// attend ends the link to a server that has become a replica, or that does not come round from loading its data. Such a server keeps its
// connections, serves subscriptions and takes publications, which then reach nobody; and behind the address that it was found by there may
// be another one now. A cluster tells of its changes itself.
func (b *Bus) attend(l *link) {
	tick := time.NewTicker(attendEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.lost:
			return
		}
		replies := l.client.DoMulti(context.Background(), l.client.B().Arbitrary("HELLO").Build(), l.client.B().Ping().Build())
		if hello, err := replies[0].AsMap(); err == nil && !b.options.Cluster {
			role := hello["role"]
			if text, _ := role.ToString(); isReplica(text) {
				l.end(errNotMaster)
			}
		}
		err, _ := rueidis.IsRedisErr(replies[1].Error())
		b.judgeState(l, err)
	}
}

// isReplica says whether HELLO has named a replica. Servers that say something else, or nothing, are taken as they are.
func isReplica(role string) bool { return role == "replica" || role == "slave" }

// judgeState ends the link over answers that say that the server is not, or not for long, what it was. err is what Redis answered, nil for
// something better.
func (b *Bus) judgeState(l *link, err *rueidis.RedisError) {
	code := ""
	if err != nil {
		code = codeOf(err.Error())
	}
	switch {
	case code == "READONLY" && !b.options.Cluster:
		l.end(fmt.Errorf("%w: %w", errNotMaster, err))
	case code != "LOADING" && code != "MASTERDOWN":
		l.unready.Store(0)
	case l.unready.CompareAndSwap(0, time.Now().UnixNano()):
	case time.Since(time.Unix(0, l.unready.Load())) > b.options.ReplyTimeout:
		l.end(err)
	}
}
