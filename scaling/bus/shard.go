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
	addr    string
	wake    chan struct{} // the lane has something to look at
	subWake chan struct{} // the subscriber has

	// Guarded by Bus.mu.
	cancel    context.CancelFunc
	ended     chan struct{} // closed when its goroutine has ended
	slots     [][2]uint16
	gone      bool // is a master no more
	link      *link
	confirmed bool      // all wanted subscriptions hold on link
	ready     bool      // confirmed, and counted in what Hooks.Up says: commands are taken
	opening   bool      // ready, and Hooks.Up was called: what waited may be sent from openAt on
	open      bool      // publications go to queue, else to held
	openAt    time.Time // see opening
	troubled  bool      // there was an outage: others had it too
	stalled   time.Time // no batch before
	busy      bool      // a batch is in flight
	queue     []item    // to be sent, in order
	held      []item    // publications that wait
	dirty     []*sub    // subscriptions to be looked at
}

func newShard(addr string) *shard {
	return &shard{addr: addr, wake: make(chan struct{}, 1), subWake: make(chan struct{}, 1)}
}

// poke wakes whoever waits on c, now or next time.
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
		l, err := b.connect(ctx, s)
		if err == nil {
			if b.serve(ctx, s, l) {
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

func (b *Bus) connect(ctx context.Context, s *shard) (*link, error) {
	hooks := rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { b.hooks.Message(m.Channel, []byte(m.Message)) },
	}
	if b.options.Cluster {
		hooks.OnSubscription = func(p rueidis.PubSubSubscription) {
			if p.Kind == "sunsubscribe" {
				b.expelled(s, p.Channel)
			}
		}
	}
	l, err := openLink(ctx, s.addr, b.dialer, hooks)
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
	case b.options.Sentinel.Master != "" && l.said("role") != "master":
		return errNotMaster
	case b.options.Cluster && version < 7:
		return errors.New("a redis cluster must be of version 7 or later")
	case !b.options.Cluster && mode != "" && mode != "standalone":
		return fmt.Errorf("the server is not a single redis but of a %s, which must be configured as one", mode)
	}
	return nil
}

// serve uses the link until it is lost, and says whether it ever was ready.
func (b *Bus) serve(ctx context.Context, s *shard, l *link) bool {
	b.mu.Lock()
	s.link = l
	b.wantAllLocked(s)
	b.mu.Unlock()

	done := make(chan struct{})
	go func() {
		defer close(done)
		b.subscriber(s, l)
	}()
	stop := context.AfterFunc(ctx, func() { l.end(ErrClosed) })
	b.lane(s, l)
	stop()
	l.end(ErrClosed)
	wasReady := b.detach(s, l)
	<-done
	l.close()
	return wasReady
}

// detach takes the lost link away: what was published waits again, in order, and who waits for an answer is told.
func (b *Bus) detach(s *shard, l *link) bool {
	b.mu.Lock()
	wasReady := s.ready
	publications, operations := split(s.queue)
	s.held, s.queue = append(publications, s.held...), nil
	s.link, s.confirmed, s.ready, s.opening, s.open, s.troubled = nil, false, false, false, false, true
	s.dirty = nil
	waiters := b.unconfirmLocked(s)
	b.lostLocked(s, l.reason(), wasReady)
	b.mu.Unlock()
	poke(b.events)
	b.refresh("")
	for _, done := range waiters {
		done(ErrDown)
	}
	for _, op := range operations {
		op.answer(Reply{err: ErrDown})
	}
	return wasReady
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
