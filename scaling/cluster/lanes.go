package cluster

import (
	"hash/maphash"
	"sync"

	"reverb/internal/fifo"
)

// lanes carry what comes from Redis to the node: whatever concerns one Redis channel is handled by one worker, in the order it came.
// The goroutine that reads from Redis only puts it here. All methods may be called from any goroutine.
type lanes struct {
	// Constant after construction.
	seed    maphash.Seed
	lanes   []*lane
	workers sync.WaitGroup
}

// lane is one worker and what waits for it.
type lane struct {
	handle  func(job)         // constant
	dropped func(name string) // constant: a message of this channel found the lane full
	limit   int64             // constant: bytes of messages

	mu   sync.Mutex
	wake sync.Cond
	// Guarded by mu.
	jobs   fifo.Queue[job]
	bytes  int64
	closed bool
}

// job is one message, or a call if run is not nil.
type job struct {
	name    string // of the Redis channel
	payload []byte
	run     func()
}

// newLanes starts n workers that together hold at most limit bytes of messages.
func newLanes(n int, limit int64, handle func(name string, payload []byte), dropped func(name string)) *lanes {
	ls := &lanes{seed: maphash.MakeSeed()}
	for range n {
		l := &lane{
			limit:   limit / int64(n),
			dropped: dropped,
			handle: func(j job) {
				if j.run != nil {
					j.run()
					return
				}
				handle(j.name, j.payload)
			},
		}
		l.wake.L = &l.mu
		ls.lanes = append(ls.lanes, l)
		ls.workers.Go(l.work)
	}
	return ls
}

// message hands over payload, which is the lanes' from now on. When too much waits it is dropped.
func (ls *lanes) message(name string, payload []byte) {
	l := ls.of(name)
	if !l.add(job{name: name, payload: payload}, true) {
		l.dropped(name)
	}
}

// run calls f after everything that came for the channel before. It is never dropped while the lanes are open, and not called after.
func (ls *lanes) run(name string, f func()) { ls.of(name).add(job{name: name, run: f}, false) }

func (ls *lanes) of(name string) *lane {
	return ls.lanes[maphash.String(ls.seed, name)%uint64(len(ls.lanes))]
}

// close lets the workers finish what waits and awaits them. Later jobs are ignored.
func (ls *lanes) close() {
	for _, l := range ls.lanes {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.wake.Broadcast()
	}
	ls.workers.Wait()
}

// jobCost is what a job counts beside its payload, in bytes.
const jobCost = 64

func (l *lane) add(j job, bounded bool) bool {
	size := int64(len(j.payload)) + jobCost
	l.mu.Lock()
	if l.closed || bounded && l.bytes > 0 && l.bytes+size > l.limit {
		closed := l.closed
		l.mu.Unlock()
		return closed
	}
	l.jobs.Push(j)
	l.bytes += size
	first := l.jobs.Len() == 1
	l.mu.Unlock()
	if first {
		l.wake.Signal()
	}
	return true
}

// work handles the jobs, all that wait at a time, until the lane is closed and empty.
func (l *lane) work() {
	var taken fifo.Queue[job]
	for {
		l.mu.Lock()
		for l.jobs.Len() == 0 && !l.closed {
			l.wake.Wait()
		}
		if l.jobs.Len() == 0 {
			l.mu.Unlock()
			return
		}
		taken, l.jobs = l.jobs, taken
		l.bytes = 0
		l.mu.Unlock()
		for taken.Len() > 0 {
			l.handle(taken.Pop())
		}
	}
}
