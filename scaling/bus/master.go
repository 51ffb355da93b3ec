package bus

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/rueidis"

	"reverb/scaling/bus/publish"
	"reverb/scaling/bus/subscribe"
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
	pipeline   *publish.Pipeline
	subscriber *subscribe.Subscriber

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
		h := m.subscriber.NewHold()
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

func (m *master) connect(ctx context.Context, h *subscribe.Hold) (*redis.Link, error) {
	hooks := rueidis.PubSubHooks{
		OnMessage: func(p rueidis.PubSubMessage) { m.keeper.hooks.Message(p.Channel, []byte(p.Message)) },
	}
	if m.keeper.options.Cluster {
		hooks.OnSubscription = func(p rueidis.PubSubSubscription) {
			if p.Kind == "sunsubscribe" {
				h.Expelled(p.Channel)
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
func (m *master) serve(ctx context.Context, h *subscribe.Hold, l *redis.Link) (wasReady bool) {
	h.Begin()
	m.keeper.found(m, l)
	subscribed, attended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(subscribed)
		h.Run(l)
	}()
	go func() {
		defer close(attended)
		l.Attend()
	}()
	stop := context.AfterFunc(ctx, func() { l.End(ErrClosed) })
	m.pipeline.Run(l)
	stop()
	l.End(ErrClosed)
	h.Lose()
	wasReady = m.keeper.lost(m, l.Err())
	<-subscribed
	<-attended
	h.End()
	l.Close()
	return wasReady
}
