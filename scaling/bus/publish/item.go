package publish

import (
	"time"

	"reverb/internal/fifo"
)

// item is one entry of a pipeline: a message, or an operation, which a caller waits for.
type item struct {
	message Message
	op      *operation // nil for a publication
	slot    uint16
	since   time.Time
	size    int64
}

// kind is what the item asks of Redis.
func (it *item) kind() int {
	if it.op == nil || it.op.isCounted() {
		return asksToPublish
	}
	return asksToExecute
}

// itemBytes is what an item costs beside its name and payload: many small messages must not take more memory than the limit says.
const itemBytes = 160

// operation is a command, or a publication that is counted; it has either of the two functions, or none.
type operation struct {
	command Command
	done    func(Reply)
	count   func(int, error)
	full    bool // the script must be sent in full
}

// answer ends the operation.
func (o *operation) answer(r Reply) {
	switch {
	case o.count != nil:
		n, err := r.Int()
		o.count(int(n), err)
	case o.done != nil:
		o.done(r)
	}
}

// isCounted says whether it is a publication of the item's message.
func (o *operation) isCounted() bool { return o.count != nil }

// batch limits: a batch is in flight as a whole, its bytes must get through within the reply timeout.
const (
	maxBatch      = 1000
	maxBatchBytes = 1 << 20
)

// take moves the first items of from to into, which is empty, within the batch limits.
func take(into []item, from *fifo.Queue[item]) []item {
	size := int64(0)
	for len(into) < maxBatch {
		it := from.Front()
		if it == nil || len(into) > 0 && size+it.size > maxBatchBytes {
			break
		}
		size += it.size
		into = append(into, from.Pop())
	}
	return into
}

// split are the publications and the operations of items, each in order. items is empty afterwards.
func split(items *fifo.Queue[item]) (publications, operations fifo.Queue[item]) {
	for items.Len() > 0 {
		it := items.Pop()
		if it.op != nil {
			operations.Push(it)
		} else {
			publications.Push(it)
		}
	}
	return publications, operations
}

// answer ends operations with an error.
func answer(operations fifo.Queue[item], err error) {
	for operations.Len() > 0 {
		it := operations.Pop()
		it.op.answer(Reply{err: err})
	}
}
