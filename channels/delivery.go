package channels

import (
	"sync/atomic"
	"time"

	"reverb/outbound"
	"reverb/protocol"
)

const (
	// inlineMax is up to how many subscribers the publisher delivers itself when nothing waits. A worker's wake-up
	// costs up to 1 µs, a send about 5 µs: for one subscriber the wake-up would be dear, for more than four it is below
	// 5 %, and it buys that frames which come meanwhile go out together. Measured with sends of 5 µs and one publisher
	// that does not pause: 4 subscribers inline 21 µs for a publish, 8 inline 42 µs, 16 by a worker 0.6 µs.
	inlineMax = 4

	// itemCost is what an item costs beside its frame, in bytes, so that many tiny frames are bounded too.
	itemCost = 64
)

// item is one message that waits for the channel's next pass.
type item struct {
	message outbound.Message
	except  protocol.SocketID // zero: none
	only    *Subscription     // nil: all
	number  uint64            // ascending in each channel
	client  bool              // a client's event
}

func (i *item) cost() int64 { return int64(i.message.Size()) + itemCost }

// queue is the frames of one channel that wait, and the pass over its subscribers that runs.
type queue struct {
	// Constant after construction.
	channel *Channel

	// Guarded by channel.mu.
	items []item
	bytes int64     // of the items, with their cost
	line  []*waiter // for room, in the order they came

	// Guarded by pool.mu.
	next    *queue // behind it in the pool's line
	claimed int    // recipients of the pass that workers have taken on

	pass pass
}

// tally is the numbers of a pass for Options.OnPass, and of a subscribe.
type tally struct {
	frames, deliveries int
	replies            int // for Options.OnReply
	elapsed            time.Duration
}

// delivery brings frames to the subscribers of channels: at once to a few of an idle channel, else by the workers of
// the pool, in passes.
type delivery struct {
	// Constant after construction.
	pendingBytes int64 // bound of one channel's queue
	clientBytes  int64 // bound of the clients' events, and answers to clients, in all queues
	onPass       func(app string, frames, deliveries int, seconds float64)
	onReply      func(app string, frames int)
	onAnnounce   func(channel string, m outbound.Message)

	pool  pool
	brake brake

	// Atomic.
	sequence      atomic.Uint64 // the number of the last frame that had to wait, over all channels
	pending       atomic.Int64  // bytes that wait in all queues
	clientPending atomic.Int64  // of these, those of clients' events and of answers to clients
	walking       atomic.Int32  // passes that have taken their items
	crowded       atomic.Int32  // queues without room
	waiting       atomic.Int64  // bytes of publishers that wait for room
}

// start begins the workers and the brake; close ends them.
func (d *delivery) start(workers int, newTurn func() func()) {
	d.brake.pool, d.brake.pending = &d.pool, &d.pending
	d.pool.wake.L = &d.pool.mu
	for range workers {
		d.pool.workers.Go(func() { d.work(newTurn()) })
	}
	d.brake.start()
}

// allSent reports whether no frame waits for a pass or is in one.
func (d *delivery) allSent() bool { return d.pending.Load() == 0 && d.walking.Load() == 0 }

func (d *delivery) close() {
	d.brake.end()
	d.pool.close()
}

// walk delivers one message without the channel's lock. The caller has made the channel busy.
func (d *delivery) walk(subs []*Subscription, m outbound.Message, except protocol.SocketID) tally {
	start := d.now()
	t, to := tally{frames: 1}, few{message: m}
	for _, s := range subs {
		s.mu.Lock()
		if s.from != never && (s.id != except || except.IsZero()) {
			to.send(s.subscriber)
			t.deliveries++
		}
		s.mu.Unlock()
	}
	t.elapsed = d.since(start)
	return t
}

// announceLocked gives an announcement its place in the channel's order. A few subscribers of an idle channel have it
// before announceLocked returns. The caller holds c.mu, so no subscriber in the set can be on its way out.
func (d *delivery) announceLocked(c *Channel, m outbound.Message, except protocol.SocketID, t *tally) {
	if d.onAnnounce != nil {
		d.onAnnounce(c.name, m)
	}
	if c.busy || c.subs.len() > inlineMax {
		d.enqueueLocked(c, item{message: m, except: except})
		return
	}
	start, to := d.now(), few{message: m}
	c.subs.each(func(s *Subscription) bool {
		if s.id != except || except.IsZero() {
			to.send(s.subscriber)
			t.deliveries++
		}
		return true
	})
	t.frames++
	t.elapsed += d.since(start)
}

// few is one message on its way to a few subscribers, which one goroutine walks. Beside text frames, which cost
// nothing, they nearly always want one encoding at most.
type few struct {
	message  outbound.Message
	encoding *outbound.Encoding // that was made last
	encoded  []byte
}

func (f *few) send(to Subscriber) {
	e := to.Encoding()
	if e == outbound.TextFrame {
		to.Send(f.message.In(e))
		return
	}
	if f.encoding != e {
		f.encoding, f.encoded = e, f.message.In(e)
	}
	to.Send(f.encoded)
}

// fullLocked reports whether no more frames may wait. One is always let in. The caller holds c.mu.
func (d *delivery) fullLocked(c *Channel) bool {
	return c.queue != nil && c.queue.bytes >= d.pendingBytes
}

// clientsFull reports whether no more of the clients' events may wait.
func (d *delivery) clientsFull() bool { return d.clientPending.Load() >= d.clientBytes }

// enqueueLocked puts an item behind those that wait and gives the channel to the workers if they do not have it.
// The caller holds c.mu.
func (d *delivery) enqueueLocked(c *Channel, i item) {
	if c.queue == nil {
		c.queue = &queue{channel: c}
	}
	q := c.queue
	i.number = d.sequence.Add(1)
	q.items = append(q.items, i)
	q.charge(d, i.cost())
	if i.client {
		d.clientPending.Add(i.cost())
	}
	if !c.busy {
		c.busy = true
		d.pool.push(q)
	}
}

// settleLocked ends a walk over the subscribers of c: frames that wait are delivered next, unless the brake holds the
// channel. The caller holds c.mu.
func (d *delivery) settleLocked(c *Channel) {
	switch {
	case d.brake.outrunLocked(c):
		if c.queue == nil {
			c.queue = &queue{channel: c}
		}
		d.brake.hold(c.queue)
	case c.queue != nil && len(c.queue.items) > 0:
		d.pool.push(c.queue)
	default:
		c.idleLocked()
	}
}

// idleLocked ends a time of passes. A small channel gives its queue back, for it may never need one again.
// The caller holds c.mu.
func (c *Channel) idleLocked() {
	c.busy = false
	for c.queue != nil && len(c.queue.line) > 0 {
		c.queue.admit()
	}
	if c.subs.len() <= inlineMax {
		c.queue = nil
	}
}

// report tells the numbers of a pass. The caller holds no lock.
func (d *delivery) report(c *Channel, t tally) {
	if d.onPass != nil && t.frames > 0 {
		d.onPass(c.home.app, t.frames, t.deliveries, t.elapsed.Seconds())
	}
	if d.onReply != nil && t.replies > 0 {
		d.onReply(c.home.app, t.replies)
	}
}

// now reads the clock if the time is reported.
func (d *delivery) now() time.Time {
	if d.onPass == nil {
		return time.Time{}
	}
	return time.Now()
}

func (d *delivery) since(start time.Time) time.Duration {
	if d.onPass == nil {
		return 0
	}
	return time.Since(start)
}
