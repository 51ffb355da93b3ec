package phpnodes

import "sync"

// inbox holds what came from Redis until the worker has handled it, in the order it came. The goroutine that reads from Redis only
// puts it here.
type inbox struct {
	limit int64 // constant: bytes that may wait

	mu   sync.Mutex
	wake sync.Cond
	// Guarded by mu.
	waiting [][]byte
	bytes   int64
	closed  bool
}

// cost is what a message counts beside its own size, in bytes.
const cost = 64

func newInbox(limit int64) *inbox {
	b := &inbox{limit: limit}
	b.wake.L = &b.mu
	return b
}

// put hands over a message, which is the inbox's from now on. It is false when too much waits. A message larger than the limit is taken
// by an empty inbox, so that no limit shuts out a message for ever.
func (b *inbox) put(text []byte) bool {
	size := int64(len(text)) + cost
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return true
	}
	if b.bytes > 0 && b.bytes+size > b.limit {
		return false
	}
	b.waiting = append(b.waiting, text)
	b.bytes += size
	b.wake.Signal()
	return true
}

// work calls handle for each message until the inbox is closed; what waits then is not handled.
func (b *inbox) work(handle func(text []byte)) {
	var taken [][]byte
	for {
		b.mu.Lock()
		for len(b.waiting) == 0 && !b.closed {
			b.wake.Wait()
		}
		if b.closed {
			b.mu.Unlock()
			return
		}
		taken, b.waiting = b.waiting, taken[:0]
		b.mu.Unlock()
		for i, text := range taken {
			handle(text)
			taken[i] = nil
			b.mu.Lock()
			b.bytes -= int64(len(text)) + cost
			b.mu.Unlock()
		}
		if cap(taken) > 4096 {
			taken = nil // a burst does not keep its memory
		}
	}
}

func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.wake.Broadcast()
}
