package publish

import (
	"time"

	"reverb/internal/fifo"
	"reverb/scaling/redis"
)

// stall is how long a pipeline rests after Redis sent something back to be repeated, unless the topology is known anew before.
const stall = 50 * time.Millisecond

// Pipeline is what waits for one master, and is sent there in batches. A batch is all that has come while the one before it was in flight:
// under load batches grow by themselves, and the order is kept because there is never more than one.
type Pipeline struct {
	// Constant after construction.
	publisher *Publisher
	wake      chan struct{} // there is something to look at

	// Guarded by publisher.mu.
	ready   bool             // operations are taken
	openAt  time.Time        // when publications that wait may be sent; zero: not told yet
	open    bool             // publications go to queue, else to held
	stalled time.Time        // no batch before
	busy    bool             // a batch is in flight, or what waits is being sorted
	queue   fifo.Queue[item] // to be sent, in order
	held    fifo.Queue[item] // publications that wait
}

// NewPipeline makes the pipeline of one master, which is down.
func (p *Publisher) NewPipeline() *Pipeline {
	return &Pipeline{publisher: p, wake: make(chan struct{}, 1)}
}

// pushLocked takes an item. It says no to an operation while the master is down.
func (s *Pipeline) pushLocked(it item) bool {
	switch {
	case it.op == nil && !s.open:
		s.held.Push(it)
		return true
	case it.op != nil && !s.ready:
		return false
	}
	s.queue.Push(it)
	if s.queue.Len() == 1 {
		poke(s.wake)
	}
	return true
}

// take puts items behind those that there are, but operations into refused while the master is down.
func (s *Pipeline) take(items, refused *fifo.Queue[item]) {
	p := s.publisher
	p.mu.Lock()
	if s.open {
		s.queue.Append(items)
	}
	p.mu.Unlock()
	publications, operations := split(items)
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.open {
		s.queue.Append(&publications)
	} else {
		s.held.Append(&publications)
	}
	if s.ready {
		s.queue.Append(&operations)
	} else {
		refused.Append(&operations)
	}
}

// poke wakes the goroutine that waits on c, now or next time.
func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Admit has the pipeline take operations from now on.
func (s *Pipeline) Admit() {
	s.publisher.mu.Lock()
	defer s.publisher.mu.Unlock()
	s.ready = true
	poke(s.wake)
}

// OpenFrom lets the publications that wait be sent, after the delay. A second call does nothing.
func (s *Pipeline) OpenFrom(delay time.Duration) {
	s.publisher.mu.Lock()
	defer s.publisher.mu.Unlock()
	if s.openAt.IsZero() {
		s.openAt = time.Now().Add(delay)
		poke(s.wake)
	}
}

// Shut has publications wait again, in order, and answers the operations that were not sent. It is called when Run has returned.
func (s *Pipeline) Shut() {
	p := s.publisher
	p.mu.Lock()
	queue := s.queue.TakeAll()
	s.ready, s.openAt, s.open, s.busy = false, time.Time{}, false, true
	p.mu.Unlock()
	publications, operations := split(&queue)
	p.mu.Lock()
	s.held.Prepend(&publications)
	s.idleLocked()
	p.mu.Unlock()
	answer(operations, redis.ErrDown)
}

// idleLocked ends what makes the pipeline busy.
func (s *Pipeline) idleLocked() {
	s.busy = false
	if s.publisher.moving {
		s.publisher.idle.Broadcast()
	}
}

// Run sends what is queued, batch by batch, until the link is lost.
func (s *Pipeline) Run(l *redis.Link) {
	b := batch{pipeline: s, link: l, known: make(map[*Script]bool)}
	for l.Err() == nil {
		var wait time.Duration
		if b.items, wait = s.next(b.items[:0]); len(b.items) > 0 {
			b.send()
			b.reset()
			continue
		}
		if !s.rest(l, wait) {
			return
		}
	}
}

// rest waits for something to do, at most for wait when it is not zero, and says whether the link lives.
func (s *Pipeline) rest(l *redis.Link, wait time.Duration) bool {
	var expired <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-s.wake:
	case <-expired:
	case <-l.Lost():
		return false
	}
	return true
}

// next takes the next batch, into the given empty slice. When there is none, it says after which time there may be one.
func (s *Pipeline) next(into []item) ([]item, time.Duration) {
	p := s.publisher
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.moving || !s.ready {
		return into, 0
	}
	now := time.Now()
	var wait time.Duration
	if !s.open && !s.openAt.IsZero() {
		if wait = s.openAt.Sub(now); wait <= 0 || p.closed {
			s.open, wait = true, 0
			s.queue.Prepend(&s.held)
		}
	}
	if left := s.stalled.Sub(now); left > 0 {
		return into, left
	}
	if s.queue.Len() == 0 {
		return into, max(wait, 0)
	}
	s.busy = true
	return take(into, &s.queue), 0
}

// settle accounts for a batch: publications that are done, and what is to be sent again, which goes to the front of the queue, after a while
// when Redis sent it elsewhere.
func (s *Pipeline) settle(done int, bytes int64, again *fifo.Queue[item], elsewhere bool) {
	s.publisher.mu.Lock()
	defer s.publisher.mu.Unlock()
	s.publisher.leaveLocked(done, bytes)
	s.queue.Prepend(again)
	if elsewhere {
		s.stalled = time.Now().Add(stall)
	}
	s.idleLocked()
}
