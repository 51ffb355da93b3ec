package poller

import (
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"reverb/outbound"
	"reverb/transport"
)

// outbox is what waits for one socket: pointers to frames, most of them shared by many connections. It exists
// only while something waits. Guarded by conn.mu.
type outbox struct {
	frames  []waiting
	first   int      // frames[:first] are sent
	offset  int      // bytes of frames[first] that are sent
	bytes   int64    // that wait, with frameCost for each frame
	answers int64    // of these, answers to what the client itself has sent
	asked   int      // frames that are answers
	later   []func() // called when answers have room
	moved   stamp    // when the socket last took something, or else when the first frame began to wait
	rate    rate
}

// rate is how much a socket takes: in a window of time that is not over yet, and in the one before it.
type rate struct {
	since         stamp // when the window began
	taken, former int64 // bytes; former is 0 when there was no window before
}

const rateWindow = 200 * time.Millisecond

// add notes that the socket took n bytes.
func (r *rate) add(n int, now stamp) {
	if elapsed := now.since(r.since); elapsed >= rateWindow {
		former := int64(float64(r.taken) * float64(rateWindow) / float64(elapsed))
		*r = rate{since: now, former: max(former, 1)}
	}
	r.taken += int64(n)
}

// waiting is a frame that waits.
type waiting struct {
	frame  []byte
	since  stamp // valid when held
	held   bool  // counted among the holdings; a frame that gathers for the end of a read is not yet
	answer bool  // to what the client itself has sent
}

var outboxPool = sync.Pool{New: func() any { return new(outbox) }}

// frameCost is charged for each waiting frame beside its bytes, for the slice that points to it.
const frameCost = 32

// stamp is a moment in milliseconds on the poller's clock. It wraps after 49 days: only differences have a meaning.
type stamp uint32

func (p *Poller) now() stamp { return stamp(time.Since(p.start) / time.Millisecond) }

func (s stamp) since(earlier stamp) time.Duration {
	return time.Duration(int32(s-earlier)) * time.Millisecond
}

func (o *outbox) push(w waiting, sent int) {
	if o.first == len(o.frames) {
		o.offset = sent
	}
	if o.first > 64 && o.first > len(o.frames)/2 {
		n := copy(o.frames, o.frames[o.first:])
		clear(o.frames[n:])
		o.frames, o.first = o.frames[:n], 0
	}
	o.frames = append(o.frames, w)
	o.bytes += int64(len(w.frame)-sent) + frameCost
	if w.answer {
		o.answers += int64(len(w.frame)-sent) + frameCost
		o.asked++
	}
}

// peek appends to dst slices of what waits, in order, at most cap(dst) of them.
func (o *outbox) peek(dst [][]byte) [][]byte {
	offset := o.offset
	for i := range o.frames[o.first:] {
		if len(dst) == cap(dst) {
			break
		}
		dst = append(dst, o.frames[o.first+i].frame[offset:])
		offset = 0
	}
	return dst
}

// pop forgets n bytes that were sent.
func (o *outbox) pop(n int, h *holdings) {
	o.bytes -= int64(n)
	for o.first < len(o.frames) {
		w := &o.frames[o.first]
		left := len(w.frame) - o.offset
		if w.answer {
			o.answers -= int64(min(n, left))
		}
		if n < left {
			o.offset += n
			break
		}
		n -= left
		if w.held {
			h.release(w.frame)
		}
		if w.answer {
			o.answers -= frameCost
			o.asked--
		}
		*w = waiting{}
		o.first++
		o.offset = 0
		o.bytes -= frameCost
	}
}

// events is how many bytes wait that are no answers.
func (o *outbox) events() int64 { return o.bytes - o.answers }

func (o *outbox) empty() bool { return o.first == len(o.frames) }

// age is how long the oldest byte has waited.
func (o *outbox) age(now stamp) time.Duration {
	if o.empty() || !o.frames[o.first].held {
		return 0
	}
	return now.since(o.frames[o.first].since)
}

// release gives o back to the pool, unless a long backlog made it large.
func (o *outbox) release(h *holdings) {
	for i := range o.frames[o.first:] {
		if w := &o.frames[o.first+i]; w.held {
			h.release(w.frame)
		}
	}
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
	c.table.poller.boundTotal()
}

// uncorkLocked sends what has gathered. Frames that the socket does not take are held from then on.
func (c *conn) uncorkLocked() {
	if !c.corked {
		return
	}
	c.corked = false
	if c.outbox == nil {
		return
	}
	c.socket.flush()
	if o := c.outbox; o != nil {
		for i := range o.frames[o.first:] {
			c.holdLocked(&o.frames[o.first+i])
		}
	}
}

// Send tries the socket at once when nothing waits. It never waits, copies or closes: over a bound it shuts a socket down, and the
// reader of that one notices and cleans up.
func (c *conn) Send(frame []byte) {
	if len(frame) == 0 || c.state.Load() != stateOpen {
		return
	}
	c.mu.Lock()
	c.sendLocked(frame)
	c.mu.Unlock()
	c.table.poller.boundTotal()
}

// Encoding implements transport.Conn.
func (*conn) Encoding() *outbound.Encoding { return outbound.TextFrame }

// Ping implements transport.Conn.
func (c *conn) Ping() { c.Send(pingFrame) }

func (c *conn) sendLocked(frame []byte) {
	c.roomLocked(frame)
	switch {
	case c.state.Load() != stateOpen:
	case c.overLocked(frame):
		c.cutLocked(transport.ReasonSlowConsumer, true)
	default:
		c.pushLocked(frame)
	}
}

// overLocked reports whether frame is too much behind what waits already. One may always wait, whatever its size. Answers are counted
// apart: they have a bound of their own (answers.go), and this one only if somebody does not ask for room.
func (c *conn) overLocked(frame []byte) bool {
	most := c.table.poller.outboxBytes.Load()
	switch {
	case c.outbox == nil:
		return false
	case c.answering:
		return c.outbox.answers > most
	}
	events := c.outbox.events()
	return events > 0 && events+int64(len(frame)) > most
}

// roomLocked sends what has gathered when it is too much with frame behind it.
func (c *conn) roomLocked(frame []byte) {
	if c.corked && c.waitsLocked(frame) > min(corkBytes, c.table.poller.outboxBytes.Load()) {
		c.uncorkLocked()
		c.corked = c.outbox == nil
	}
}

// waitsLocked returns how many bytes wait with frame behind them, or 0 when none do.
func (c *conn) waitsLocked(frame []byte) int64 {
	if c.outbox == nil {
		return 0
	}
	return c.outbox.bytes + int64(len(frame))
}

// pushLocked sends frame, or lets it wait.
func (c *conn) pushLocked(frame []byte) {
	if c.corked || c.outbox != nil {
		c.queueLocked(frame, 0)
		return
	}
	n, err := c.socket.send(frame)
	if n > 0 {
		c.table.bytesOut.Add(uint64(n))
	}
	switch {
	case n == len(frame):
	case err != nil && !errors.Is(err, unix.EAGAIN):
		c.cutLocked(ioReason(err), true)
	default:
		c.queueLocked(frame, max(n, 0))
		c.socket.arm()
	}
}

// queueLocked lets frame wait, of which sent bytes are sent.
func (c *conn) queueLocked(frame []byte, sent int) {
	if c.outbox == nil {
		c.outbox = outboxPool.Get().(*outbox)
	}
	w := waiting{frame: frame, answer: c.answering}
	if !c.corked {
		c.holdLocked(&w)
	}
	c.outbox.push(w, sent)
	c.fillLocked()
}

// holdLocked counts a frame that waits for the socket, and has the sweep look after the connection.
func (c *conn) holdLocked(w *waiting) {
	if w.held {
		return
	}
	p := c.table.poller
	w.held, w.since = true, p.now()
	p.holdings.hold(w.frame)
	if c.outbox.moved == 0 {
		c.outbox.moved, c.outbox.rate.since = w.since, w.since
	}
	if !c.watched && c.state.Load() == stateOpen {
		c.watched = true
		c.table.schedule(c, p.cfg.OutboxTimeout)
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
	o, p := c.outbox, c.table.poller
	c.table.bytesOut.Add(uint64(n))
	o.pop(n, &p.holdings)
	if o.empty() {
		c.dropOutboxLocked()
		return
	}
	o.moved = p.now()
	o.rate.add(n, o.moved)
	c.relieveLocked(o)
}

func (c *conn) dropOutboxLocked() {
	if o := c.outbox; o != nil {
		c.outbox = nil
		c.relieveLocked(o)
		o.release(&c.table.poller.holdings)
	}
}

// overdueLocked cuts an open connection whose oldest byte has waited for OutboxTimeout, and else looks again when that may be so: a
// client is slow when it makes no progress, not when it is behind for a moment.
func (c *conn) overdueLocked() {
	c.watched = false
	if c.outbox == nil {
		return
	}
	p := c.table.poller
	left := p.cfg.OutboxTimeout - c.outbox.age(p.now())
	if left <= 0 {
		c.cutLocked(transport.ReasonSlowConsumer, true)
		return
	}
	c.watched = true
	c.table.schedule(c, left)
}

// ioReason tells a client that left from a socket that failed.
func ioReason(err error) transport.Reason {
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) {
		return transport.ReasonHangup
	}
	return transport.ReasonIO
}
