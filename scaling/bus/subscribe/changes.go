package subscribe

import (
	"sync"

	"reverb/internal/fifo"
	"reverb/scaling/redis"
)

// changes are the subscriptions that a subscriber has to look at.
type changes struct {
	wake chan struct{} // constant: there is something to look at

	mu sync.Mutex
	// Guarded by mu.
	hold    *Hold            // nil: there is no link
	list    fifo.Queue[*sub] // to be looked at
	settled bool             // everything that is wanted is confirmed
	taking  bool             // settled once, and told by the keeper: a Subscribe is answered when Redis has confirmed
}

// begin has a new link, of which nothing is confirmed.
func (s *changes) begin(h *Hold) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold, s.settled, s.taking = h, false, false
}

// lose is the end of the link.
func (s *changes) lose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold.over.Store(true)
	s.hold, s.settled, s.taking = nil, false, false
}

// rest adds the subscriptions that were not looked at.
func (s *changes) rest(into []*sub) []*sub {
	s.mu.Lock()
	list := s.list.TakeAll()
	s.mu.Unlock()
	for list.Len() > 0 {
		into = append(into, list.Pop())
	}
	return into
}

// ready says whether everything that is wanted is confirmed. From then on a Subscribe waits for the confirmation.
func (s *changes) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.settled {
		s.taking = true
	}
	return s.settled
}

// settle notes that everything is confirmed, unless there is more to look at, and says whether that is news.
func (s *changes) settle(h *Hold) (more, news bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.list.Len() > 0 || s.hold != h {
		return s.list.Len() > 0, false
	}
	news = !s.settled
	s.settled = true
	return false, news
}

// take returns subscriptions to look at, at most n.
func (s *changes) take(into []*sub, n int) []*sub {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ; n > 0 && s.list.Len() > 0; n-- {
		into = append(into, s.list.Pop())
	}
	return into
}

// add has the subscriber look at c. It is false when there is none. The caller holds the shard of c.
func (s *changes) add(c *sub) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.addLocked(c)
}

func (s *changes) addLocked(c *sub) bool {
	if s.hold == nil {
		return false
	}
	if c.dirty != s.hold {
		c.dirty = s.hold
		s.list.Push(c)
		s.settled = false
		poke(s.wake)
	}
	return true
}

// want has the subscriber see to it that c is subscribed. It says whether done is called when it is; else done is to be called now, with
// the error. The caller holds the shard of c.
func (s *changes) want(c *sub, done func(error)) (waits bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold != nil && c.on == s.hold {
		return false, nil
	}
	s.addLocked(c)
	if !s.taking {
		return false, redis.ErrDown
	}
	if c.waiters == nil {
		c.waiters = &waiters{on: s.hold}
	}
	c.waiters.done = append(c.waiters.done, done)
	return true, nil
}

// adopt lets waiters for a subscription at another master wait here. It is false when there is nothing to wait for.
func (s *changes) adopt(w *waiters) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.taking {
		return false
	}
	w.on = s.hold
	return true
}

// poke wakes the goroutine that waits on c, now or next time.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
