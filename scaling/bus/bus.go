package bus

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"reverb/internal/fifo"
)

// Bus is a connection to Redis that comes back by itself. All methods may be called from any goroutine, hooks included.
//
// Its goroutines: the keeper tells the hooks; the scout watches which masters there are; each master has one that connects and then is its
// lane, and one that subscribes.
//
// Publish is called on event loops, so mu is held for a few steps only, however much waits and however many names are subscribed: items
// that wait move by pointers, and subscriptions have locks of their own (see names).
type Bus struct {
	// Constant after Open.
	options  Options
	hooks    Hooks
	dialer   dialer
	drops    *drops
	ctx      context.Context // ends with Close
	stop     context.CancelFunc
	events   chan struct{} // the keeper has something to look at
	hints    chan string   // the scout shall look, at this server first when it is not empty
	tasks    sync.WaitGroup
	runners  sync.WaitGroup // of the shards, started by the scout
	limbo    *shard
	names    *names // what is subscribed
	lapses   lapses
	refusals refusals

	// Atomic, stored with mu held.
	closed atomic.Bool
	up     atomic.Bool
	routes atomic.Pointer[routes] // stored by the scout

	mu   sync.Mutex
	idle *sync.Cond // on mu: a lane ended its batch while moving, or what waits was placed
	// Guarded by mu.
	shards    map[string]*shard // by address
	uncovered bool              // a slot has no master
	moving    bool              // the topology is being changed: no lane may take a batch
	placing   bool              // and items that wait are being given to their new masters: new ones go to arrivals
	arrivals  fifo.Queue[item]
	ticket    uint64
	waiting   int
	bytes     int64
	since     time.Time
	err       error
	losses    int // how often it went down
	told      int // losses when Hooks.Up was called last
	announced bool
}

// routes say which master is whose. They are not changed, but replaced.
type routes struct {
	only  *shard   // without a cluster: where everything goes
	table []*shard // with a cluster: by slot; nil until it is known
}

func (r *routes) of(slot uint16) *shard {
	if r.table != nil {
		return r.table[slot]
	}
	return r.only
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
	b := &Bus{
		options: o,
		hooks:   h,
		dialer: dialer{
			username: o.Username, password: o.Password, database: o.Database,
			tls: o.TLS, connect: o.ConnectTimeout, reply: o.ReplyTimeout,
		},
		drops:  newDrops(o.Log, o.Dropped),
		events: make(chan struct{}, 1),
		hints:  make(chan string, 1),
		shards: make(map[string]*shard),
		limbo:  newShard(""),
		names:  newNames(),
		since:  time.Now(),
	}
	b.idle = sync.NewCond(&b.mu)
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.routes.Store(&routes{only: b.limbo})
	b.tasks.Go(b.keep)
	b.tasks.Go(b.scout)
	return b, nil
}

// PublishCommand is the command with which a script must publish: PUBLISH, or SPUBLISH in a cluster.
func (b *Bus) PublishCommand() string {
	if b.options.Cluster {
		return "SPUBLISH"
	}
	return "PUBLISH"
}

// Publish sends m after all that was published or commanded before it. When Redis is down it waits, in order, bounded by bytes and age. The
// error is ErrFull or ErrClosed.
func (b *Bus) Publish(m Message) error {
	size := int64(itemBytes + len(m.Name) + len(m.Payload))
	if m.Keep != nil {
		size += int64(m.Keep.size())
	}
	it := item{message: m, size: size, since: time.Now()}
	b.mu.Lock()
	if b.closed.Load() {
		b.mu.Unlock()
		return ErrClosed
	}
	limit := b.options.BufferBytes
	if m.Yields {
		limit = b.options.YieldBytes
	}
	if b.bytes+size > limit {
		b.mu.Unlock()
		b.drops.add(DroppedFull, 1, nil)
		return ErrFull
	}
	b.waiting++
	b.bytes += size
	b.pushLocked(it, m.Name)
	b.mu.Unlock()
	return nil
}

// PublishCount publishes and tells how many subscribers Redis, or the master of this name, had for it. When Redis is down it does not wait: ErrDown.
// done is called once, on the goroutine of the lane: it must not wait.
func (b *Bus) PublishCount(name string, payload []byte, done func(count int, err error)) {
	op := &operation{count: done}
	b.operate(item{message: Message{Name: name, Payload: payload}, op: op, size: int64(len(name) + len(payload))}, name)
}

// Do executes c after all that was published or commanded before it. done, which may be nil, is called once, on the goroutine of the lane:
// it must not wait. When Redis is down, done gets ErrDown at once.
func (b *Bus) Do(c Command, done func(Reply)) {
	size, name := int64(0), ""
	for _, s := range c.Keys {
		size, name = size+int64(len(s)), s
	}
	for _, s := range c.Args {
		size += int64(len(s))
	}
	b.operate(item{op: &operation{command: c, done: done}, size: size}, name)
}

// operate queues an item with an operation, or answers it.
func (b *Bus) operate(it item, name string) {
	it.since = time.Now()
	b.mu.Lock()
	err := ErrClosed
	if !b.closed.Load() {
		if b.pushLocked(it, name) {
			err = nil
		} else {
			err = ErrDown
		}
	}
	b.mu.Unlock()
	if err != nil {
		it.op.answer(Reply{err: err})
	}
}

// pushLocked puts an item into the lane of the name. It says no to an operation when the lane is down.
func (b *Bus) pushLocked(it item, name string) bool {
	if b.options.Cluster {
		it.slot = slotOf(name)
	}
	b.ticket++
	it.ticket = b.ticket
	if b.placing {
		b.arrivals.Push(it)
		return true
	}
	r := b.routes.Load()
	s := r.of(it.slot)
	if r.table != nil && name == "" {
		s = b.anyLocked()
	}
	return s.pushLocked(it)
}

// anyLocked is a shard that is ready, when there is one.
func (b *Bus) anyLocked() *shard {
	for _, s := range b.shards {
		if s.ready {
			return s
		}
	}
	return b.limbo
}

// leaveLocked takes a publication off the accounts.
func (b *Bus) leaveLocked(it *item) {
	b.waiting--
	b.bytes -= it.size
}

// Up says whether Redis is reached and every wanted subscription was confirmed.
func (b *Bus) Up() bool { return b.up.Load() }

// State says how the bus stands.
func (b *Bus) State() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return State{
		Up: b.up.Load(), Since: b.since, Err: b.err, Refusal: b.refusals.now(), Waiting: b.waiting, WaitingBytes: b.bytes,
	}
}

// closeWait is how long Close gives what still waits.
const closeWait = time.Second

// Close sends what waits, when Redis is up and takes it within a second, and ends the goroutines. No hook is called after it; a hook must
// not call it.
func (b *Bus) Close() {
	b.mu.Lock()
	if b.closed.Swap(true) {
		b.mu.Unlock()
		b.tasks.Wait()
		return
	}
	for _, s := range b.shards {
		poke(s.wake) // what settles is sent now
	}
	b.mu.Unlock()
	b.flush()
	b.stop()
	b.tasks.Wait()
	b.runners.Wait()

	b.mu.Lock()
	var rest fifo.Queue[item]
	for _, s := range append(b.shardsLocked(), b.limbo) {
		rest.Append(&s.queue)
		rest.Append(&s.held)
	}
	left := b.waiting
	b.waiting, b.bytes = 0, 0
	b.up.Store(false)
	b.mu.Unlock()
	_, operations := split(&rest)
	for _, op := range operations {
		op.answer(Reply{err: ErrClosed})
	}
	b.drops.add(DroppedClosed, left, nil)
	b.drops.flush()
}

// flush waits until every lane that is up has nothing left, at most closeWait.
func (b *Bus) flush() {
	ctx, cancel := context.WithTimeout(b.ctx, closeWait)
	defer cancel()
	for !b.flushed() && pause(ctx, 5*time.Millisecond) {
		continue
	}
}

func (b *Bus) flushed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.shards {
		if s.ready && (s.busy || s.queue.Len() > 0 || s.held.Len() > 0) {
			return false
		}
	}
	return true
}

func (b *Bus) shardsLocked() []*shard {
	all := make([]*shard, 0, len(b.shards)+1)
	for _, s := range b.shards {
		all = append(all, s)
	}
	return all
}
