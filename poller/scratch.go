package poller

import (
	"math/bits"
	"sync"
)

// Buffers come in powers of two from 512 bytes to 1 MiB. A larger one is rare and left to the garbage collector.
const (
	minScratchBits = 9
	maxScratchBits = 20
)

// scratchPools lends buffers of one size each. They belong to the process, because the garbage collector,
// which empties them, does too.
var scratchPools [maxScratchBits - minScratchBits + 1]sync.Pool

// scratch is the memory for what has arrived of an unfinished message. The zero value is empty and ready.
// It holds at most twice what was put in, whatever a client announced. One goroutine at a time.
type scratch struct {
	b   []byte
	box *[]byte // what came out of a pool and goes back there; nil for memory that is not pooled
}

// append copies p behind what is there. want is how long it will become if the client keeps its word: a bound for the
// room to grow, memory is taken as bytes arrive.
func (s *scratch) append(p []byte, want int64) {
	if need := len(s.b) + len(p); need > cap(s.b) {
		s.grow(need, want)
	}
	s.b = append(s.b, p...)
}

// grow moves to a buffer for need bytes, with room to double.
func (s *scratch) grow(need int, want int64) {
	size := max(need, 2*cap(s.b))
	if int64(size) > want {
		size = max(need, int(want))
	}
	old := *s
	if class := scratchClass(size); class < len(scratchPools) {
		s.box = takeScratch(class)
		s.b = (*s.box)[:0]
	} else {
		s.box, s.b = nil, make([]byte, 0, size)
	}
	s.b = append(s.b, old.b...)
	old.release()
}

// release gives the memory back. Slices of it must not be used any more.
func (s *scratch) release() {
	if s.box != nil {
		scratchPools[scratchClass(cap(*s.box))].Put(s.box)
	}
	*s = scratch{}
}

func takeScratch(class int) *[]byte {
	if box, ok := scratchPools[class].Get().(*[]byte); ok {
		return box
	}
	b := make([]byte, 0, 1<<(class+minScratchBits))
	return &b
}

// scratchClass returns the index of the smallest pool whose buffers hold size bytes. It is past the last
// pool when there is none.
func scratchClass(size int) int {
	return max(bits.Len(uint(size-1))-minScratchBits, 0)
}
