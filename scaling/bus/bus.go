package bus

import (
	"context"
	"sync"
	"time"
)

// Bus is a connection to Redis that comes back by itself. All methods may be called from any goroutine, hooks included.
//
// It is three things, each with locks of its own: the publisher has what waits for Redis, the subscriptions are the names, and the keeper
// has the masters and the links to them.
type Bus struct {
	// Constant after Open.
	cluster       bool
	publisher     *publisher
	subscriptions *subscriptions
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
	drops := newDrops(o.Log, o.Dropped)
	b := &Bus{
		cluster:       o.Cluster,
		publisher:     newPublisher(o, scout, drops),
		subscriptions: newSubscriptions(o.Cluster, scout),
		stop:          stop,
	}
	b.keeper = newKeeper(o, h, b.publisher, b.subscriptions, scout, drops)
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
func (b *Bus) Publish(m Message) error { return b.publisher.publish(m) }

// PublishCount publishes and tells how many subscribers Redis, or the master of this name, had for it. When Redis is down it does not
// wait: ErrDown. done is called once, on the goroutine of the pipeline: it must not wait.
func (b *Bus) PublishCount(name string, payload []byte, done func(count int, err error)) {
	op := &operation{count: done}
	b.publisher.operate(item{message: Message{Name: name, Payload: payload}, op: op, size: int64(len(name) + len(payload))}, name)
}

// Do executes c after all that was published or commanded before it. done, which may be nil, is called once, on the goroutine of the
// pipeline: it must not wait. When Redis is down, done gets ErrDown at once.
func (b *Bus) Do(c Command, done func(Reply)) {
	size, name := int64(0), ""
	for _, s := range c.Keys {
		size, name = size+int64(len(s)), s
	}
	for _, s := range c.Args {
		size += int64(len(s))
	}
	b.publisher.operate(item{op: &operation{command: c, done: done}, size: size}, name)
}

// Subscribe asks for what is published on name. done, which may be nil, is called once: with nil when Redis has confirmed, with ErrDown at
// once when Redis is down: then the name is subscribed when it is back, before Hooks.Up. done must not wait; it may be called before
// Subscribe returns.
func (b *Bus) Subscribe(name string, done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	b.subscriptions.subscribe(name, done)
}

// Unsubscribe ends a subscription. Messages may still come for a moment.
func (b *Bus) Unsubscribe(name string) { b.subscriptions.unsubscribe(name) }

// Up says whether Redis is reached and every wanted subscription was confirmed.
func (b *Bus) Up() bool { return b.keeper.up.Load() }

// State says how the bus stands.
func (b *Bus) State() State {
	s := b.keeper.state()
	s.Waiting, s.WaitingBytes = b.publisher.backlog()
	s.Refusal = b.publisher.refusals.now()
	return s
}

// closeWait is how long Close gives what still waits.
const closeWait = time.Second

// Close sends what waits, when Redis is up and takes it within a second, and ends the goroutines. No hook is called after it; a hook must
// not call it.
func (b *Bus) Close() {
	b.subscriptions.closed.Store(true)
	b.keeper.closed.Store(true)
	if !b.publisher.close() {
		b.tasks.Wait()
		return
	}
	b.publisher.flush(closeWait)
	b.stop()
	b.tasks.Wait()
	b.keeper.running.Wait()
	b.keeper.up.Store(false)
	b.publisher.discard()
}
