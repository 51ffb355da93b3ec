package channels

import "sync"

// pool is the line of channels that wait for a worker. A channel stands in it once. A large pass leaves the line for
// one slice and goes to its end again, where the next free worker finds it: so several work on it, and yet no channel
// waits for more than one slice of each that stands before it.
type pool struct {
	mu     sync.Mutex // a leaf
	wake   sync.Cond
	head   *queue // guarded by mu
	tail   *queue // guarded by mu
	closed bool   // guarded by mu

	workers sync.WaitGroup
}

// push puts q at the end of the line.
func (p *pool) push(q *queue) {
	p.mu.Lock()
	p.pushLocked(q)
	p.mu.Unlock()
}

func (p *pool) pushLocked(q *queue) {
	q.next = nil
	if p.tail == nil {
		p.head = q
	} else {
		p.tail.next = q
	}
	p.tail = q
	p.wake.Signal()
}

// take waits for the first of the line. If a pass of it runs, it returns the slice to walk; else the caller is to begin
// one. Nil when the pool is closed and nothing waits.
func (p *pool) take() (q *queue, slice []*Subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.head == nil {
		if p.closed {
			return nil, nil
		}
		p.wake.Wait()
	}
	q = p.head
	p.head = q.next
	if p.head == nil {
		p.tail = nil
	}
	q.next = nil
	recipients := q.pass.recipients
	if recipients == nil {
		return q, nil
	}
	first := q.claimed
	q.claimed = min(first+sliceLen, len(recipients))
	if q.claimed < len(recipients) {
		p.pushLocked(q)
	}
	return q, recipients[first:q.claimed]
}

// share lets the workers have the slices of the pass that q has begun.
func (p *pool) share(q *queue) {
	p.mu.Lock()
	q.claimed = 0
	p.pushLocked(q)
	p.mu.Unlock()
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.wake.Broadcast()
	p.mu.Unlock()
	p.workers.Wait()
}

// work is one worker. A Send does not tell the scheduler of its system call, so after each sliceLen of them, in one
// pass or many, the event loops and all others have their turn. On one processor they would wait for the whole pass
// otherwise: 6 ms at the median with 10,000 subscribers, 0.4 ms with this.
func (d *delivery) work(turn func()) {
	walked := 0
	for {
		q, slice := d.pool.take()
		switch {
		case q == nil:
			return
		case slice == nil:
			if !q.begin(d) {
				continue
			}
			if len(q.pass.recipients) > sliceLen {
				d.pool.share(q)
				continue
			}
			slice = q.pass.recipients
		}
		walked += len(slice)
		if q.pass.walk(slice) {
			q.end(d)
		}
		if walked >= sliceLen {
			walked = 0
			turn()
		}
	}
}
