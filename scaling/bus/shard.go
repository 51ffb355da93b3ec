package bus

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"reverb/internal/fifo"
)

const (
	minBackoff = 50 * time.Millisecond
	maxBackoff = time.Second
	// stall is how long a lane rests after Redis sent something back to be repeated, unless the topology is known anew before.
	stall = 50 * time.Millisecond
)

// shard is one master: what waits for it, and the link to it. With one Redis there is one shard; the limbo, a shard without an address,
// has what waits while it is not known which master it is for.
type shard struct {
	// Constant after construction.
	addr string
	wake chan struct{} // the lane has something to look at

	changes changes // of subscriptions, with a lock of its own

	// Owned by the scout.
	cancel context.CancelFunc
	ended  chan struct{} // closed when its goroutine has ended
	slots  [][2]uint16

	// Guarded by Bus.mu.
	gone     bool // is a master no more
	link     *link
	ready    bool             // all wanted subscriptions hold on link, and that counts in what Hooks.Up says: commands are taken
	opening  bool             // ready, and Hooks.Up was called: items that waited may be sent from openAt on
	open     bool             // publications go to queue, else to held
	openAt   time.Time        // see opening
	troubled bool             // there was an outage: others had it too
	stalled  time.Time        // no batch before
	busy     bool             // a batch is in flight, or what waits is being sorted
	queue    fifo.Queue[item] // to be sent, in order
	held     fifo.Queue[item] // publications that wait
}

func newShard(addr string) *shard {
	return &shard{addr: addr, wake: make(chan struct{}, 1), changes: changes{wake: make(chan struct{}, 1)}}
}

// pushLocked takes an item. It says no to an operation while the shard is down.
func (s *shard) pushLocked(it item) bool {
	switch {
	case it.op == nil && !s.open:
		s.held.Push(it)
		return true
	case !s.ready:
		return false
	}
	s.queue.Push(it)
	if s.queue.Len() == 1 {
		poke(s.wake)
	}
	return true
}

// poke wakes the goroutine that waits on c, now or next time.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run keeps the shard linked until ctx ends.
func (b *Bus) run(ctx context.Context, s *shard) {
	backoff := minBackoff
	for ctx.Err() == nil {
		h := &hold{shard: s}
		l, err := b.connect(ctx, h)
		if err == nil {
			if b.serve(ctx, h, l) {
				backoff = minBackoff
			}
		} else {
			b.failed(s, err)
		}
		if !pause(ctx, backoff/2+rand.N(backoff/2)) {
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (b *Bus) connect(ctx context.Context, h *hold) (*link, error) {
	hooks := rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { b.hooks.Message(m.Channel, []byte(m.Message)) },
	}
	if b.options.Cluster {
		hooks.OnSubscription = func(p rueidis.PubSubSubscription) {
			if p.Kind == "sunsubscribe" {
				b.expelled(h, p.Channel)
			}
		}
	}
	l, err := openLink(ctx, h.shard.addr, b.dialer, hooks)
	if err != nil {
		return nil, err
	}
	if err := b.check(l); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// check says whether the server is what the options call it.
func (b *Bus) check(l *link) error {
	mode := l.said("mode")
	major, _, _ := strings.Cut(l.said("version"), ".")
	version, _ := strconv.Atoi(major)
	switch {
	case b.options.Sentinel.Master != "" && l.said("role") != "master", !b.options.Cluster && isReplica(l.said("role")):
		return errNotMaster
	case b.options.Cluster && version < 7:
		return errors.New("a redis cluster must be of version 7 or later")
	case !b.options.Cluster && mode != "" && mode != "standalone":
		return fmt.Errorf("the server is not a single redis but of a %s, which must be configured as one", mode)
	}
	return nil
}

// serve uses the link until it is lost, and says whether it ever was ready.
func (b *Bus) serve(ctx context.Context, h *hold, l *link) bool {
	s := h.shard
	s.changes.begin(h)
	b.mu.Lock()
	s.link = l
	b.mu.Unlock()

	var unanswered []*sub
	done := make(chan struct{})
	go func() {
		defer close(done)
		unanswered = b.subscriber(s, l, h)
	}()
	attended := make(chan struct{})
	go func() {
		defer close(attended)
		b.attend(l)
	}()
	stop := context.AfterFunc(ctx, func() { l.end(ErrClosed) })
	b.lane(s, l)
	stop()
	l.end(ErrClosed)
	wasReady := b.detach(s, l)
	<-done
	<-attended
	b.tellOver(h, unanswered, s.changes.rest())
	l.close()
	return wasReady
}

// detach takes the lost link away: publications wait again, in order, and each caller that waits for an answer is told.
func (b *Bus) detach(s *shard, l *link) bool {
	s.changes.lose()
	b.mu.Lock()
	for b.placing {
		b.idle.Wait()
	}
	wasReady := s.ready
	queue := s.queue.TakeAll()
	s.link, s.ready, s.opening, s.open, s.troubled, s.busy = nil, false, false, false, true, true
	missed := b.lostLocked(s, l.reason(), wasReady)
	b.mu.Unlock()

	publications, operations := split(&queue)
	b.mu.Lock()
	s.held.Prepend(&publications)
	b.idleLocked(s)
	b.mu.Unlock()
	poke(b.events)
	b.refresh("")
	for _, op := range operations {
		op.answer(Reply{err: ErrDown})
	}
	switch {
	case missed && wasReady:
		b.options.Log.Warn("redis is lost", "addr", s.addr, "error", l.reason())
	case missed:
		b.drops.note("subscribe "+s.addr, l.reason())
	}
	return wasReady
}

// idleLocked ends what makes a shard busy.
func (b *Bus) idleLocked(s *shard) {
	s.busy = false
	if b.moving {
		b.idle.Broadcast()
	}
}

// pause waits, and says whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
