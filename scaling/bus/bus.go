package bus

import (
	"context"
	"sync"
	"time"

	"reverb/scaling/bus/publish"
	"reverb/scaling/bus/subscribe"
)

// Bus is a connection to Redis that comes back by itself. All methods may be called from any goroutine, hooks included.
//
// It is three things, each with locks of its own: the publisher has what waits for Redis, the subscriptions are the names, and the keeper
// has the masters and the links to them.
type Bus struct {
	// Constant after Open.
	cluster       bool
	publisher     *publish.Publisher
	subscriptions *subscribe.Subscriptions
	keeper        *keeper
	stop          context.CancelFunc
	tasks         sync.WaitGroup
}

// Open starts to connect, for ever. The error is one of the options; that Redis cannot be reached is told by State and Hooks.Down.
func Open(o Options, h Hooks) (*Bus, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if h.Down == nil {
		h.Down = func(error) {}
	}
	ctx, stop := context.WithCancel(context.Background())
	scout := newScout(ctx, o)
	news := make(chan struct{}, 1)
	b := &Bus{
		cluster: o.Cluster,
		publisher: publish.New(publish.Options{
			Cluster: o.Cluster, ReplyTimeout: o.ReplyTimeout, BufferBytes: o.BufferBytes, YieldBytes: o.YieldBytes, BufferAge: o.BufferAge,
			Look: scout.look, Ask: scout.ask, Log: o.Log, Dropped: o.Dropped,
		}),
		subscriptions: subscribe.New(subscribe.Options{Cluster: o.Cluster, Look: scout.look, News: func() { poke(news) }}),
		stop:          stop,
	}
	b.keeper = newKeeper(o, h, b.publisher, b.subscriptions, scout, news)
	b.tasks.Go(b.keeper.keep)
	b.tasks.Go(b.keeper.follow)
	return b, nil
}

// PublishCommand is the command with which a script must publish: PUBLISH, or SPUBLISH in a cluster.
func (b *Bus) PublishCommand() string {
	if b.cluster {
		return "SPUBLISH"
	}
	return "PUBLISH"
}

// Publish sends m after all that was published or commanded before it. When Redis is down it waits, in order, bounded by bytes and age. The
// error is ErrFull or ErrClosed.
func (b *Bus) Publish(m Message) error { return b.publisher.Publish(m) }

// PublishCount publishes and tells how many subscribers Redis, or the master of this name, had for it. When Redis is down it does not
// wait: ErrDown. done is called once, on the goroutine of the pipeline: it must not wait.
func (b *Bus) PublishCount(name string, payload []byte, done func(count int, err error)) {
	b.publisher.Count(name, payload, done)
}

// Do executes c after all that was published or commanded before it. done, which may be nil, is called once, on the goroutine of the
// pipeline: it must not wait. When Redis is down, done gets ErrDown at once.
func (b *Bus) Do(c Command, done func(Reply)) { b.publisher.Do(c, done) }

// Subscribe asks for what is published on name. done, which may be nil, is called once: with nil when Redis has confirmed, with ErrDown at
// once when Redis is down: then the name is subscribed when it is back, before Hooks.Up. done must not wait; it may be called before
// Subscribe returns.
func (b *Bus) Subscribe(name string, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	b.subscriptions.Subscribe(name, done)
}

// Unsubscribe ends a subscription. Messages may still come for a moment.
func (b *Bus) Unsubscribe(name string) { b.subscriptions.Unsubscribe(name) }

// Up says whether Redis is reached and every wanted subscription was confirmed.
func (b *Bus) Up() bool { return b.keeper.up.Load() }

// State says how the bus stands.
func (b *Bus) State() State {
	s := b.keeper.state()
	s.Waiting, s.WaitingBytes = b.publisher.Backlog()
	s.Refusal = b.publisher.Refusal()
	return s
}

// closeWait is how long Close gives what still waits.
const closeWait = time.Second

// Close sends what waits, when Redis is up and takes it within a second, and ends the goroutines. No hook is called after it; a hook must
// not call it.
func (b *Bus) Close() {
	b.subscriptions.Close()
	b.keeper.closed.Store(true)
	if !b.publisher.Close() {
		b.tasks.Wait()
		return
	}
	b.publisher.Flush(closeWait)
	b.stop()
	b.tasks.Wait()
	b.keeper.running.Wait()
	b.keeper.up.Store(false)
	b.publisher.Discard()
	b.keeper.trouble.Flush()
}
