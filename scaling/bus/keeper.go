package bus

import (
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"reverb/internal/logging"
	"reverb/scaling/bus/publish"
	"reverb/scaling/bus/subscribe"
	"reverb/scaling/redis"
)

var (
	errNewMaster = errors.New("connecting to a new master")
	errLapsed    = errors.New("subscriptions moved to another master")
)

// troubleEvery is how often at most the same trouble is logged.
const troubleEvery = 10 * time.Second

// keeper keeps a link to each master, and tells the hooks how the bus stands. Each master has a goroutine that connects and then is its
// pipeline, one that subscribes and one that watches over the link; keep tells the hooks, follow looks which masters there are.
//
// Its lock may be held when that of the publisher or of the changes of a subscriber is taken; no event loop takes it.
type keeper struct {
	// Constant after construction.
	options       Options
	hooks         Hooks
	publisher     *publish.Publisher
	subscriptions *subscribe.Subscriptions
	scout         *scout
	news          chan struct{} // there is something to tell
	trouble       *logging.Throttle
	running       sync.WaitGroup // of the masters, started by follow

	known bool // owned by follow: masters were found

	// Atomic.
	closed atomic.Bool
	up     atomic.Bool // stored with mu held

	mu sync.Mutex
	// Guarded by mu.
	masters   map[string]*master // by address; changed by follow only
	uncovered bool               // a slot has no master
	since     time.Time
	err       error
	losses    int // how often it went down
	told      int // losses when Hooks.Up was called last
	announced bool
}

func newKeeper(o Options, h Hooks, p *publish.Publisher, n *subscribe.Subscriptions, s *scout, news chan struct{}) *keeper {
	return &keeper{
		options: o, hooks: h, publisher: p, subscriptions: n, scout: s, news: news,
		trouble: logging.NewThrottle(o.Log, troubleEvery),
		masters: make(map[string]*master), since: time.Now(),
	}
}

func (k *keeper) state() State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return State{Up: k.up.Load(), Since: k.since, Err: k.err}
}

// keep tells the hooks how the bus stands, and drops what waits too long.
func (k *keeper) keep() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	seconds := 0
	for {
		for k.tell() {
			continue
		}
		select {
		case <-k.news:
		case <-second.C:
			k.publisher.Tick()
			if seconds++; seconds%10 == 0 {
				k.trouble.Flush()
			}
		case <-k.scout.ctx.Done():
			return
		}
	}
}

// tell calls at most one hook, and says whether it did anything.
func (k *keeper) tell() bool {
	k.mu.Lock()
	if k.announced && k.losses != k.told {
		k.announced = false
		err := k.err
		k.mu.Unlock()
		k.hooks.Down(err)
		return true
	}
	fresh := k.readyLocked()
	if k.allReadyLocked() && !k.announced && !k.closed.Load() {
		k.announced, k.told = true, k.losses
		k.since, k.err = time.Now(), nil
		k.up.Store(true)
		k.mu.Unlock()
		k.subscriptions.Lapsed() // Up says more
		k.options.Log.Info("redis is up")
		k.hooks.Up()
		k.mu.Lock()
		k.openLocked()
		k.mu.Unlock()
		return true
	}
	if fresh {
		k.openLocked()
	}
	announced := k.announced
	k.mu.Unlock()
	return fresh || announced && k.tellLapsed()
}

// tellLapsed tells which subscriptions were interrupted, and whether there were any.
func (k *keeper) tellLapsed() bool {
	names := k.subscriptions.Lapsed()
	switch {
	case len(names) == 0:
		return false
	case k.hooks.Lapsed != nil:
		k.hooks.Lapsed(names)
	default:
		k.hooks.Down(errLapsed)
		k.hooks.Up()
	}
	return true
}

// readyLocked makes ready the masters on which all subscriptions are confirmed: operations are taken from now on.
func (k *keeper) readyLocked() (fresh bool) {
	for _, m := range k.masters {
		if !m.ready && m.linked && m.subscriber.Ready() {
			m.ready, fresh = true, true
			m.pipeline.Admit()
		}
	}
	return fresh
}

// openLocked lets the masters that are ready get what waited, after an outage when the other nodes have had time to come back.
func (k *keeper) openLocked() {
	for _, m := range k.masters {
		switch {
		case m.ready && m.troubled:
			m.pipeline.OpenFrom(k.options.Settle)
		case m.ready:
			m.pipeline.OpenFrom(0)
		}
	}
}

func (k *keeper) allReadyLocked() bool {
	for _, m := range k.masters {
		if !m.ready {
			return false
		}
	}
	return len(k.masters) > 0 && !k.uncovered
}

// downLocked notes that the bus is not up any more.
func (k *keeper) downLocked(err error) {
	k.err = err
	if k.up.Load() {
		k.up.Store(false)
		k.since = time.Now()
		k.losses++
	}
}

// found notes that there is a link to a master.
func (k *keeper) found(m *master, l *redis.Link) {
	k.scout.linked(m.addr, l)
	k.mu.Lock()
	defer k.mu.Unlock()
	m.linked = true
}

// lost takes the link away: publications wait again, and each caller that waits for an answer is told. It says whether the master was ready.
func (k *keeper) lost(m *master, err error) (wasReady bool) {
	k.scout.linked(m.addr, nil)
	k.mu.Lock()
	wasReady = m.ready
	m.linked, m.ready, m.troubled = false, false, true
	missed := !m.gone && !k.closed.Load() // without one that is gone the bus is not down: its successor is waited for
	switch {
	case missed && wasReady:
		k.downLocked(err)
	case missed:
		k.err = err
	}
	k.mu.Unlock()
	m.pipeline.Shut()
	poke(k.news)
	k.scout.look("")
	switch {
	case missed && wasReady:
		k.options.Log.Warn("redis is lost", "addr", m.addr, "error", err)
	case missed:
		k.note("subscribe "+m.addr, err)
	}
	return wasReady
}

// failed notes that a master could not be reached.
func (k *keeper) failed(m *master, err error) {
	k.mu.Lock()
	m.troubled = true
	k.err = err
	k.mu.Unlock()
	if k.scout.ctx.Err() == nil {
		k.trouble.Log(slog.LevelWarn, "connect "+m.addr, redis.Unreached(m.addr, err))
	}
	k.scout.look("")
}

// follow finds the masters and follows them.
func (k *keeper) follow() {
	if k.scout.dialer.Kind == redis.Single {
		k.apply([]redis.Master{{Addr: k.options.Addrs[0]}})
		return
	}
	defer k.scout.close()
	for hint, ok := "", true; ok; {
		masters, err := k.scout.discover(hint)
		if err == nil {
			k.apply(masters)
		} else {
			k.unfound(err)
		}
		hint, ok = k.scout.next(err == nil && k.up.Load())
	}
}

// note logs trouble.
func (k *keeper) note(activity string, err error) {
	k.trouble.Log(slog.LevelWarn, "", "redis: "+activity, slog.Any("error", err))
}

// unfound notes that no server knows the masters.
func (k *keeper) unfound(err error) {
	if k.scout.ctx.Err() != nil {
		return
	}
	k.note("discover", err)
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.up.Load() {
		k.err = err
	}
}

// apply makes those found the masters of the bus.
func (k *keeper) apply(found []redis.Master) {
	gone, same := k.compare(found)
	if same {
		k.publisher.Retry()
		return
	}
	for _, m := range gone {
		m.stop()
	}
	fresh := k.replace(found)
	k.publisher.Move(found, func(addr string) *publish.Pipeline { return k.masters[addr].pipeline })
	k.subscriptions.Move(found, func(addr string) *subscribe.Subscriber { return k.masters[addr].subscriber })
	for _, m := range fresh {
		m.start()
	}
	poke(k.news)
}

// compare says whether those found are the masters of the bus, with the same slots. When not, it takes out those that are masters no more.
func (k *keeper) compare(found []redis.Master) (gone []*master, same bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	same = len(found) == len(k.masters) && !slices.ContainsFunc(found, func(f redis.Master) bool {
		m := k.masters[f.Addr]
		return m == nil || !slices.Equal(m.slots, f.Slots)
	})
	for addr, m := range k.masters {
		if !same && !slices.ContainsFunc(found, func(f redis.Master) bool { return f.Addr == addr }) {
			m.gone = true
			gone = append(gone, m)
			delete(k.masters, addr)
		}
	}
	return gone, same
}

// replace makes masters of those found. Not one of the fresh ones is started.
func (k *keeper) replace(found []redis.Master) (fresh []*master) {
	k.mu.Lock()
	defer k.mu.Unlock()
	covered := 0
	for _, f := range found {
		m := k.masters[f.Addr]
		if m == nil {
			m = &master{
				addr: f.Addr, keeper: k, troubled: k.known,
				pipeline: k.publisher.NewPipeline(), subscriber: k.subscriptions.NewSubscriber(),
			}
			k.masters[f.Addr] = m
			fresh = append(fresh, m)
		}
		m.slots = f.Slots
		for _, r := range f.Slots {
			covered += int(r[1]) - int(r[0]) + 1
		}
	}
	k.known = true
	k.uncovered = k.options.Cluster && covered < redis.SlotCount
	if len(fresh) > 0 && k.up.Load() {
		k.downLocked(errNewMaster)
	}
	return fresh
}
