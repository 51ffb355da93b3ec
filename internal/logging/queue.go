package logging

import (
	"io"
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of a Queue.
const (
	maxLines = 8192    // that wait
	maxBytes = 4 << 20 // of them, and of those that are being written
	maxWrite = 32 << 10
)

// Queue is an io.Writer whose Write never waits: one goroutine writes what is in it to the output. Each call of Write or Add is one line
// (which may have line breaks) that is written whole or dropped. All methods may be called from any goroutine; end it with Close.
type Queue struct {
	// Constant after NewQueue.
	out    io.Writer
	notice func(lost uint64) []byte

	// Guarded by mu.
	mu     sync.Mutex
	filled sync.Cond // there is something to write, or closed
	lines  []line
	bytes  int    // of lines, and of those that are being written
	lost   uint64 // lines that were dropped and not told of
	busy   bool   // something is being written
	closed bool

	moved chan struct{} // gets a token after each write
	done  chan struct{} // closed when the goroutine has ended
	total atomic.Uint64 // lines that were dropped
}

// line is text, or what makes the text when its turn has come.
type line struct {
	text   []byte
	render func() []byte
	size   int // bytes that it is counted for
}

// NewQueue begins to write to out. notice is the line that tells how many were dropped; it is called on the goroutine that writes.
func NewQueue(out io.Writer, notice func(lost uint64) []byte) *Queue {
	q := &Queue{out: out, notice: notice, moved: make(chan struct{}, 1), done: make(chan struct{})}
	q.filled.L = &q.mu
	go q.run()
	return q
}

// Write queues a copy of p. It never fails: an output that takes nothing is no reason for a server to do anything else.
func (q *Queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.roomLocked(len(p)) { // before p is copied
		q.pushLocked(line{text: append([]byte(nil), p...), size: len(p)})
	}
	return len(p), nil
}

// Add queues a line that costs something to make: render is called on the goroutine that writes, and its result is used up before the next
// call. size is how many bytes wait with it.
func (q *Queue) Add(size int, render func() []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.roomLocked(size) {
		q.pushLocked(line{render: render, size: size})
	}
}

// Dropped is the number of lines that were dropped so far.
func (q *Queue) Dropped() uint64 { return q.total.Load() }

// roomLocked reports whether one more line may wait, and counts it when it may not. One line of any size may wait alone.
func (q *Queue) roomLocked(size int) bool {
	if !q.closed && len(q.lines) < maxLines && (q.bytes == 0 || q.bytes+size <= maxBytes) {
		return true
	}
	q.lost++
	q.total.Add(1)
	return false
}

func (q *Queue) pushLocked(l line) {
	q.lines = append(q.lines, l)
	q.bytes += l.size
	q.filled.Signal()
}

// Flush waits until everything is written. It gives up when nothing has moved for the time of patience, or after limit. One caller at a
// time.
func (q *Queue) Flush(patience, limit time.Duration) {
	end := time.After(limit)
	for !q.idle() {
		select {
		case <-q.moved:
		case <-time.After(patience):
			return
		case <-end:
			return
		}
	}
}

func (q *Queue) idle() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.lines) == 0 && q.lost == 0 && !q.busy
}

// Close ends the goroutine. Lines that still wait are dropped; call Flush before. It does not wait for a write that is stuck.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed, q.lines = true, nil
	q.filled.Signal()
	stuck := q.busy
	q.mu.Unlock()
	if !stuck {
		<-q.done
	}
}

func (q *Queue) run() {
	defer close(q.done)
	var buf []byte
	for {
		batch, lost, ok := q.take()
		if !ok {
			return
		}
		buf, size := buf[:0], 0
		for _, l := range batch {
			size += l.size
			if l.render != nil {
				l.text = l.render()
			}
			buf = append(buf, l.text...)
		}
		if lost > 0 {
			buf = append(buf, q.notice(lost)...)
		}
		_, _ = q.out.Write(buf) // a server whose terminal has gone goes on serving
		q.written(size)
	}
}

// take waits for the next lines, about maxWrite bytes of them: while they are written, room is made for others. When there are none any
// more it returns how many were dropped.
func (q *Queue) take() (batch []line, lost uint64, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.lines) == 0 && q.lost == 0 && !q.closed {
		q.filled.Wait()
	}
	if q.closed {
		return nil, 0, false
	}
	n, size := 0, 0
	for n < len(q.lines) && (n == 0 || size+q.lines[n].size <= maxWrite) {
		size += q.lines[n].size
		n++
	}
	batch, q.lines = q.lines[:n:n], q.lines[n:]
	if len(q.lines) == 0 {
		q.lines = nil
		lost, q.lost = q.lost, 0
	}
	q.busy = true
	return batch, lost, true
}

func (q *Queue) written(size int) {
	q.mu.Lock()
	q.bytes -= size
	q.busy = false
	q.mu.Unlock()
	select {
	case q.moved <- struct{}{}:
	default:
	}
}
