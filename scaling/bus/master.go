package bus

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/rueidis"

	"reverb/scaling/redis"
)

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
)

// master is one of the servers to which the bus keeps a link. With one Redis there is one.
type master struct {
	// Constant after construction.
	addr       string
	keeper     *keeper
	pipeline   *pipeline
	subscriber *subscriber

	// Owned by keeper.follow.
	slots  [][2]uint16
	cancel context.CancelFunc
	ended  chan struct{} // closed when its goroutine has ended

	// Guarded by keeper.mu.
	gone     bool // is a master no more
	linked   bool
	ready    bool // all wanted subscriptions hold on the link
	troubled bool // there was an outage: others had it too
}

// start begins to keep it linked, until stop.
func (m *master) start() {
	ctx, cancel := context.WithCancel(m.keeper.scout.ctx)
	m.cancel, m.ended = cancel, make(chan struct{})
	m.keeper.scout.linked(m.addr, nil)
	m.keeper.running.Go(func() {
		defer close(m.ended)
		m.run(ctx)
	})
}

// stop ends that.
func (m *master) stop() {
	m.cancel()
	<-m.ended
	m.keeper.scout.left(m.addr)
}

func (m *master) run(ctx context.Context) {
	backoff := minBackoff
	for ctx.Err() == nil {
		h := &hold{subscriber: m.subscriber}
		l, err := m.connect(ctx, h)
		if err == nil {
			if m.serve(ctx, h, l) {
				backoff = minBackoff
			}
		} else {
			m.keeper.failed(m, err)
		}
		if !pause(ctx, backoff/2+rand.N(backoff/2)) {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (m *master) connect(ctx context.Context, h *hold) (*redis.Link, error) {
	hooks := rueidis.PubSubHooks{
		OnMessage: func(p rueidis.PubSubMessage) { m.keeper.hooks.Message(p.Channel, []byte(p.Message)) },
	}
	if m.keeper.options.Cluster {
		hooks.OnSubscription = func(p rueidis.PubSubSubscription) {
			if p.Kind == "sunsubscribe" {
				m.subscriber.all.expelled(h, p.Channel)
			}
		}
	}
	l, err := redis.Open(ctx, m.addr, m.keeper.scout.dialer, hooks)
	if err != nil {
		return nil, err
	}
	if err := l.Check(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// serve uses the link until it is lost, and says whether it ever was ready.
func (m *master) serve(ctx context.Context, h *hold, l *redis.Link) (wasReady bool) {
	changes := &m.subscriber.changes
	changes.begin(h)
	m.keeper.found(m, l)

	var unanswered []*sub
	subscribed, attended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(subscribed)
		unanswered = m.subscriber.run(l, h)
	}()
	go func() {
		defer close(attended)
		l.Attend()
	}()
	stop := context.AfterFunc(ctx, func() { l.End(ErrClosed) })
	m.pipeline.run(l)
	stop()
	l.End(ErrClosed)
	changes.lose()
	wasReady = m.keeper.lost(m, l.Err())
	<-subscribed
	<-attended
	m.subscriber.all.over(h, changes.rest(unanswered))
	l.Close()
	return wasReady
}
