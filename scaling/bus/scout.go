package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"reverb/scaling/redis"
)

// scout finds the masters, and reaches servers for a single question.
type scout struct {
	// Constant after construction.
	ctx       context.Context // ends with Close
	options   Options
	dialer    redis.Dialer
	sentinels *redis.Sentinels // nil: none
	hints     chan string      // it shall look, at this server first when it is not empty

	mu sync.Mutex
	// Guarded by mu.
	links map[string]*redis.Link // to masters, by address; nil: there is none now
}

func newScout(ctx context.Context, o Options) *scout {
	s := &scout{
		ctx: ctx, options: o, hints: make(chan string, 1), links: make(map[string]*redis.Link),
		dialer: redis.Dialer{
			Username: o.Username, Password: o.Password, Database: o.Database, TLS: o.TLS,
			Connect: o.ConnectTimeout, Reply: o.ReplyTimeout,
		},
	}
	switch w := o.Sentinel; {
	case o.Cluster:
		s.dialer.Kind = redis.Node
	case w.Master != "":
		s.dialer.Kind = redis.Watched
		s.sentinels = redis.NewSentinels(w.Master, w.Addrs, redis.Dialer{
			Username: w.Username, Password: w.Password, TLS: w.TLS,
			Connect: redis.SentinelTimeout, Reply: redis.SentinelTimeout,
		})
	}
	return s
}

// linked notes the link to a master, nil when there is none.
func (s *scout) linked(addr string, l *redis.Link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.links[addr] = l
}

// left forgets a server that is a master no more.
func (s *scout) left(addr string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.links, addr)
}

// close ends the connections to the sentinels.
func (s *scout) close() {
	if s.sentinels != nil {
		s.sentinels.Close()
	}
}

// look has the masters looked for, at this server first when it is not empty.
func (s *scout) look(hint string) {
	for {
		select {
		case s.hints <- hint:
			return
		default:
		}
		if hint == "" {
			return
		}
		select { // a look was wanted already: make it one with this hint
		case <-s.hints:
		default:
		}
	}
}

const (
	// lookGap is how long it waits at least between two looks.
	lookGap = 100 * time.Millisecond
	// The others are how long at most: what moves in a cluster is also told by redirections, unless a master cannot be reached.
	sentinelEvery = time.Second
	clusterEvery  = 10 * time.Second
	roughEvery    = time.Second
)

// next waits until it is time to look again, and says where first. It is false when the bus is closed. up says whether the masters are known
// and linked.
func (s *scout) next(up bool) (hint string, ok bool) {
	if !pause(s.ctx, lookGap) {
		return "", false
	}
	wait := clusterEvery
	switch {
	case s.sentinels != nil:
		wait = sentinelEvery
	case !up:
		wait = roughEvery
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case hint = <-s.hints:
	case <-timer.C:
	case <-s.ctx.Done():
		return "", false
	}
	return hint, true
}

// discover finds the masters.
func (s *scout) discover(hint string) ([]redis.Master, error) {
	if s.sentinels == nil {
		return s.discoverCluster(hint)
	}
	m, err := s.sentinels.Master(s.ctx)
	return []redis.Master{m}, err
}

func (s *scout) discoverCluster(hint string) ([]redis.Master, error) {
	var failures []error
	asked := map[string]bool{"": true}
	for _, addr := range s.knowing(hint) {
		if asked[addr] {
			continue
		}
		asked[addr] = true
		masters, err := s.askMasters(addr)
		if err == nil {
			return masters, nil
		}
		failures = append(failures, fmt.Errorf("ask %s for the slots: %w", addr, err))
	}
	return nil, errors.Join(failures...)
}

// knowing are the servers to ask, best first: the server of the hint, because it knows why we were sent to it; then those that we are linked
// to; then those of the options.
func (s *scout) knowing(hint string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []string{hint}
	for addr, l := range s.links {
		if l != nil {
			all = append(all, addr)
		}
	}
	all = append(all, s.options.Addrs...)
	return slices.AppendSeq(all, maps.Keys(s.links))
}

func (s *scout) askMasters(addr string) ([]redis.Master, error) {
	l, leave, err := s.reach(addr)
	if err != nil {
		return nil, err
	}
	defer leave()
	return l.Masters(s.ctx)
}

// reach is a link to the server: the one that there is, or one for this purpose.
func (s *scout) reach(addr string) (l *redis.Link, leave func(), err error) {
	s.mu.Lock()
	l = s.links[addr]
	s.mu.Unlock()
	if l != nil && l.Err() == nil {
		return l, func() {}, nil
	}
	if l, err = redis.Open(s.ctx, addr, s.dialer, rueidis.PubSubHooks{}); err != nil {
		return nil, nil, err
	}
	return l, l.Close, nil
}

// ask executes a command on the server to which a slot is just being moved.
func (s *scout) ask(addr string, build func(rueidis.Builder) rueidis.Completed) rueidis.RedisResult {
	l, leave, err := s.reach(addr)
	if err != nil {
		return rueidis.NewErrorResult(err)
	}
	defer leave()
	return l.Ask(build(l.B()))
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

// poke wakes the goroutine that waits on c, now or next time.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
