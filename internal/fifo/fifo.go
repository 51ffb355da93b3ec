// Package fifo is a queue for work that is done under a lock: no operation costs more when more waits.
package fifo

// chunkSize is how many entries are allocated at a time, maxSpare how many emptied chunks a queue keeps for later.
const (
	chunkSize = 64
	maxSpare  = 16
)

// Queue holds entries in order. It is a list of chunks: an append never copies what waits, and two queues become one by a pointer. The zero
// Queue is empty. It is not safe for use by several goroutines at once.
type Queue[T any] struct {
	first, last *chunk[T]
	size        int
	spare       *chunk[T]
	spares      int
}

// chunk is a run of entries: those at the indexes from ≤ i < to.
type chunk[T any] struct {
	next     *chunk[T]
	from, to int
	entries  [chunkSize]T
}

// Len is how many entries there are.
func (q *Queue[T]) Len() int { return q.size }

// Push puts v behind the others.
func (q *Queue[T]) Push(v T) {
	c := q.last
	if c == nil || c.to == chunkSize {
		c = q.fresh()
		if q.last == nil {
			q.first = c
		} else {
			q.last.next = c
		}
		q.last = c
	}
	c.entries[c.to] = v
	c.to++
	q.size++
}

// Front is the first entry, in its place; nil when there is none.
func (q *Queue[T]) Front() *T {
	if q.size == 0 {
		return nil
	}
	return &q.first.entries[q.first.from]
}

// Pop takes out the first entry; the zero value when there is none.
func (q *Queue[T]) Pop() (v T) {
	if q.size == 0 {
		return v
	}
	c := q.first
	var zero T
	v, c.entries[c.from] = c.entries[c.from], zero
	c.from++
	q.size--
	if c.from == c.to {
		q.release()
	}
	return v
}

// Append moves the entries of other, which is empty afterwards, behind those of q.
func (q *Queue[T]) Append(other *Queue[T]) {
	if other.size == 0 {
		return
	}
	if q.last == nil {
		q.first = other.first
	} else {
		q.last.next = other.first
	}
	q.last = other.last
	q.size += other.size
	other.first, other.last, other.size = nil, nil, 0
}

// Prepend moves the entries of other, which is empty afterwards, before those of q.
func (q *Queue[T]) Prepend(other *Queue[T]) {
	if other.size == 0 {
		return
	}
	other.last.next = q.first
	if q.last == nil {
		q.last = other.last
	}
	q.first = other.first
	q.size += other.size
	other.first, other.last, other.size = nil, nil, 0
}

// TakeAll returns a queue with all entries; q is empty afterwards.
func (q *Queue[T]) TakeAll() (all Queue[T]) {
	all.Append(q)
	return all
}

func (q *Queue[T]) fresh() *chunk[T] {
	c := q.spare
	if c == nil {
		return new(chunk[T])
	}
	q.spare, c.next = c.next, nil
	q.spares--
	return c
}

// release takes out the first chunk, of which every entry was taken.
func (q *Queue[T]) release() {
	c := q.first
	q.first = c.next
	if q.first == nil {
		q.last = nil
	}
	c.next, c.from, c.to = nil, 0, 0
	if q.spares < maxSpare {
		c.next, q.spare = q.spare, c
		q.spares++
	}
}
