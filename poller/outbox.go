package poller

import (
	"errors"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// outbox is what waits for one socket: pointers to frames, most of them shared by many connections. It exists
// only while something waits. Guarded by conn.mu.
type outbox struct {
	frames [][]byte
	first  int   // frames[:first] are sent
	offset int   // bytes of frames[first] that are sent
	bytes  int64 // that wait
}

var outboxPool = sync.Pool{New: func() any { return new(outbox) }}

// frameCost is charged for each waiting frame beside its bytes, for the slice that points to it.
const frameCost = 24

func (o *outbox) push(frame []byte, sent int) {
	if o.first == len(o.frames) {
		o.offset = sent
	}
	if o.first > 64 && o.first > len(o.frames)/2 {
		n := copy(o.frames, o.frames[o.first:])
		clear(o.frames[n:])
		o.frames, o.first = o.frames[:n], 0
	}
	o.frames = append(o.frames, frame)
	o.bytes += int64(len(frame)-sent) + frameCost
}

// peek appends to dst slices of what waits, in order, at most cap(dst) of them.
func (o *outbox) peek(dst [][]byte) [][]byte {
	offset := o.offset
	for _, f := range o.frames[o.first:] {
		if len(dst) == cap(dst) {
			break
		}
		dst = append(dst, f[offset:])
		offset = 0
	}
	return dst
}

// pop forgets n bytes that were sent, and returns by how much less waits.
func (o *outbox) pop(n int) int64 {
	before := o.bytes
	o.bytes -= int64(n)
	for o.first < len(o.frames) {
		left := len(o.frames[o.first]) - o.offset
		if n < left {
			o.offset += n
			break
		}
		n -= left
		o.frames[o.first] = nil
		o.first++
		o.offset = 0
		o.bytes -= frameCost
	}
	return before - o.bytes
}

func (o *outbox) empty() bool { return o.first == len(o.frames) }

// release gives o back to the pool, unless a long backlog made it large.
func (o *outbox) release() {
	clear(o.frames)
	*o = outbox{frames: o.frames[:0]}
	if cap(o.frames) <= 256 {
		outboxPool.Put(o)
	}
}

// corkBytes is how many bytes of answers gather before they are sent.
const corkBytes = 16 << 10

// cork lets what is sent from now on gather until uncork, unless something waits already. Only the reader may call it:
// who asks ten thousand things in one read shall not cost his neighbours ten thousand system calls.
func (c *conn) cork() {
	c.mu.Lock()
	c.corked = c.outbox == nil
	c.mu.Unlock()
}

func (c *conn) uncork() {
	c.mu.Lock()
	c.uncorkLocked()
	c.mu.Unlock()
}

// uncorkLocked sends what has gathered.
func (c *conn) uncorkLocked() {
	if !c.corked {
		return
	}
	c.corked = false
	if c.outbox != nil {
		c.transport.flush()
		c.boundTotalLocked()
	}
}

// Send tries the socket at once when nothing waits. It never waits, copies or closes: over the bound it shuts the
// socket down, and the reader, who notices, cleans up.
func (c *conn) Send(frame []byte) {
	if len(frame) == 0 || c.state.Load() != stateOpen {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.roomLocked(frame)
	switch {
	case c.state.Load() != stateOpen:
	case c.waitsLocked(frame) > c.table.poller.cfg.OutboxBytes:
		c.cutLocked(ReasonSlowConsumer, true)
	default:
		c.pushLocked(frame)
	}
}

// roomLocked sends what has gathered when it is too much with frame behind it.
func (c *conn) roomLocked(frame []byte) {
	if c.corked && c.waitsLocked(frame) > min(corkBytes, c.table.poller.cfg.OutboxBytes) {
		c.uncorkLocked()
		c.corked = c.outbox == nil
	}
}

// waitsLocked returns how many bytes wait with frame behind them, or 0: one frame may always wait, whatever its size.
func (c *conn) waitsLocked(frame []byte) int64 {
	if c.outbox == nil {
		return 0
	}
	return c.outbox.bytes + int64(len(frame))
}

// pushLocked sends frame, or lets it wait.
func (c *conn) pushLocked(frame []byte) {
	if c.corked {
		c.queueLocked(frame, 0)
		return
	}
	if c.outbox != nil {
		c.queueLocked(frame, 0)
		c.boundTotalLocked()
		return
	}
	n, err := c.transport.send(frame)
	if n > 0 {
		c.table.bytesOut.Add(uint64(n))
	}
	switch {
	case n == len(frame):
	case err != nil && !errors.Is(err, unix.EAGAIN):
		c.cutLocked(ioReason(err), true)
	default:
		c.queueLocked(frame, max(n, 0))
		c.transport.arm()
		c.boundTotalLocked()
	}
}

// queueLocked lets frame wait, of which sent bytes are sent.
func (c *conn) queueLocked(frame []byte, sent int) {
	if c.outbox == nil {
		c.outbox = outboxPool.Get().(*outbox)
	}
	c.outbox.push(frame, sent)
	c.table.poller.outboxBytes.Add(int64(len(frame)-sent) + frameCost)
}

// boundTotalLocked holds all outboxes together under their bound. Once half of it is used, a connection may have its share
// of what is left and no more: the few that never read are cut, and not whoever comes when they have taken everything.
func (c *conn) boundTotalLocked() {
	p := c.table.poller
	bound, used := p.cfg.TotalOutboxBytes, p.outboxBytes.Load()
	if c.outbox == nil || used <= bound/2 {
		return
	}
	if share := (bound - used) / max(p.open.Load(), 1); c.outbox.bytes > share {
		c.cutLocked(ReasonOutboxTotal, true)
	}
}

// takeLocked empties the outbox and returns what waited in it.
func (c *conn) takeLocked() []byte {
	if c.outbox == nil {
		return nil
	}
	waited := slices.Concat(c.outbox.peek(make([][]byte, 0, len(c.outbox.frames)))...)
	c.dropOutboxLocked()
	return waited
}

// popLocked accounts for n bytes that the socket took.
func (c *conn) popLocked(n int) {
	o := c.outbox
	c.table.bytesOut.Add(uint64(n))
	c.table.poller.outboxBytes.Add(-o.pop(n))
	if o.empty() {
		c.outbox = nil
		o.release()
	}
}

func (c *conn) dropOutboxLocked() {
	if o := c.outbox; o != nil {
		c.outbox = nil
		c.table.poller.outboxBytes.Add(-o.bytes)
		o.release()
	}
}

// ioReason tells a client that left from a socket that failed.
func ioReason(err error) Reason {
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return ReasonHangup
	}
	return ReasonIO
}
