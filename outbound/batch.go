package outbound

import (
	"sync"
	"sync/atomic"
)

// Batch is messages, one behind the other, on their way to many connections. An encoding is made when the first
// connection asks for it and shared by all that ask for it after that: one buffer for each encoding in use, however
// many messages there are. The zero value is empty. Add and Reset are for one goroutine while nobody else uses the
// batch; In may be called from many.
type Batch struct {
	messages []Message // constant while In is called
	size     int       // of the text frames, bytes

	encoded atomic.Pointer[encoded] // the last that was made; nil: none
	mu      sync.Mutex              // held while one is made
	first   encoded                 // the memory of the first
}

// encoded is a batch in one encoding. It does not change once it is in the list.
type encoded struct {
	encoding *Encoding
	bytes    []byte
	before   *encoded // made before it
}

// Add puts m behind the messages that are there.
func (b *Batch) Add(m Message) {
	b.messages = append(b.messages, m)
	b.size += len(m.frame)
}

// Len is how many messages there are.
func (b *Batch) Len() int { return len(b.messages) }

// In returns all messages in an encoding. The bytes must not be changed; the frame of a single message is not copied.
func (b *Batch) In(e *Encoding) []byte {
	if e == TextFrame && len(b.messages) == 1 {
		return b.messages[0].frame
	}
	if made := b.find(e); made != nil {
		return made.bytes
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if made := b.find(e); made != nil {
		return made.bytes
	}
	made := &b.first
	if made.encoding != nil {
		made = new(encoded)
	}
	*made = encoded{encoding: e, bytes: e.Append(make([]byte, 0, b.size), b.messages...), before: b.encoded.Load()}
	b.encoded.Store(made)
	return made.bytes
}

func (b *Batch) find(e *Encoding) *encoded {
	made := b.encoded.Load()
	for made != nil && made.encoding != e {
		made = made.before
	}
	return made
}

// Reset forgets everything but the room for messages, and that too when it is for more than keep.
func (b *Batch) Reset(keep int) {
	clear(b.messages)
	b.messages, b.size = b.messages[:0], 0
	if cap(b.messages) > keep {
		b.messages = nil
	}
	b.first = encoded{}
	b.encoded.Store(nil)
}
