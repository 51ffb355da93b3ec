package channels

import (
	"slices"
	"sync/atomic"
	"time"

	"reverb/outbound"
	"reverb/protocol"
)

const (
	// passBytes bounds the frames of one pass, in bytes; one larger frame goes alone. At 64 KiB the system call is paid
	// for many times over, while a reader's outbox is not filled in one go and a slice keeps its worker for a few
	// milliseconds only.
	passBytes = 64 << 10

	// sliceLen is how many subscribers a worker walks before the next channel has its turn: about a millisecond of
	// sends.
	sliceLen = 128

	// keptItems is up to how many items a pass keeps its buffer for the next, in items.
	keptItems = 1024

	// apartListed is up to how many sockets are looked for in a list rather than a map.
	apartListed = 8
)

// pass is one walk over the subscribers with all messages that waited, joined into one buffer for each encoding in use.
// Workers share the slices of a large one. Each subscriber is in one slice, and the next pass begins after the last
// slice, so the order holds for all.
type pass struct {
	// Written by begin; read only while slices run.
	items      []item
	joined     outbound.Batch // the messages of all items that are for all subscribers
	apart      apart
	recipients []*Subscription
	few        [inlineMax]*Subscription
	start      time.Time

	// Atomic.
	slices     atomic.Int32 // not done yet
	deliveries atomic.Int64
}

// begin takes the items that wait, and the subscribers of this moment. It returns false when nothing waits: the channel
// is idle then.
func (q *queue) begin(d *delivery) bool {
	p, c := &q.pass, q.channel
	c.mu.Lock()
	if len(q.items) == 0 {
		c.idleLocked()
		c.mu.Unlock()
		return false
	}
	d.walking.Add(1) // before takeLocked, so that AllSent never misses both
	q.takeLocked(d)
	p.recipients = c.subs.lend(p.few[:0])
	c.mu.Unlock()

	p.start = d.now()
	p.join()
	p.deliveries.Store(0)
	p.slices.Store(int32((len(p.recipients) + sliceLen - 1) / sliceLen))
	return true
}

// takeLocked moves the first items, passBytes of them or one, to the pass. The caller holds channel.mu.
func (q *queue) takeLocked(d *delivery) {
	p := &q.pass
	n, size, cost := 0, 0, int64(0)
	for n < len(q.items) && (n == 0 || size+q.items[n].message.Size() <= passBytes) {
		size += q.items[n].message.Size()
		cost += q.items[n].cost()
		d.forgetClient(&q.items[n])
		n++
	}
	q.charge(d, -cost)
	if n == len(q.items) {
		p.items, q.items = q.items, p.items[:0]
		return
	}
	p.items = append(p.items[:0], q.items[:n]...)
	clear(q.items[:n])
	q.items = q.items[n:]
}

// forgetClient takes an item that does not wait any more off the account of the clients.
func (d *delivery) forgetClient(i *item) {
	if i.client {
		d.clientPending.Add(-i.cost())
	}
}

// join gathers the messages that nearly every subscriber gets.
func (p *pass) join() {
	p.apart.reset()
	for i := range p.items {
		x := &p.items[i]
		switch {
		case x.only != nil:
			p.apart.add(x.only.id)
			continue
		case !x.except.IsZero():
			p.apart.add(x.except)
		}
		p.joined.Add(x.message)
	}
}

// walk delivers to one slice of the recipients and reports whether that was the last slice.
func (p *pass) walk(subs []*Subscription) bool {
	deliveries := 0
	for _, s := range subs {
		deliveries += p.deliver(s)
	}
	p.deliveries.Add(int64(deliveries))
	return p.slices.Add(-1) <= 0
}

// deliver gives s its messages in one Send and returns how many they were.
func (p *pass) deliver(s *Subscription) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from > p.items[0].number || p.apart.has(s.id) {
		return p.deliverMix(s)
	}
	n := p.joined.Len()
	if n > 0 {
		s.subscriber.Send(p.joined.In(s.subscriber.Encoding()))
	}
	return n
}

// deliverMix is deliver to a subscriber that is not to have all: it came or went since the first was published, is
// excepted from some or is the only one to have some. The buffer is not shared, so that it has no more room than it
// needs. The caller holds s.mu.
func (p *pass) deliverMix(s *Subscription) int {
	var last outbound.Message
	n, size, answer := 0, 0, false // answer: the one to a subscribe of s is among them
	for i := range p.items {
		if x := &p.items[i]; x.isFor(s) {
			last = x.message
			size += last.Size()
			n++
			answer = answer || x.only != nil
		}
	}
	if n == 0 {
		return 0
	}
	encoding := s.subscriber.Encoding()
	mix := last.In(encoding)
	if n > 1 {
		mix = make([]byte, 0, size)
		for i := range p.items {
			if x := &p.items[i]; x.isFor(s) {
				mix = encoding.Append(mix, x.message)
			}
		}
	}
	if answer {
		s.subscriber.Answer(mix)
	} else {
		s.subscriber.Send(mix)
	}
	return n
}

// isFor reports whether s has the item. The caller holds s.mu.
func (i *item) isFor(s *Subscription) bool {
	return i.number >= s.from && (i.only == nil || i.only == s) && (i.except.IsZero() || i.except != s.id)
}

// end makes room for the next pass and returns the numbers of this one.
func (q *queue) end(d *delivery) {
	p, c := &q.pass, q.channel
	t := tally{frames: len(p.items), deliveries: int(p.deliveries.Load()), elapsed: d.since(p.start)}
	d.walking.Add(-1)
	p.joined.Reset(keptItems)
	p.recipients = nil
	clear(p.few[:])

	c.mu.Lock()
	p.forgetLocked()
	c.subs.giveBack()
	d.settleLocked(c)
	c.mu.Unlock()
	d.report(c, t)
}

// forgetLocked lets go of the items that were delivered. The caller holds channel.mu.
func (p *pass) forgetLocked() {
	for i := range p.items {
		if s := p.items[i].only; s != nil {
			s.replying = false
		}
	}
	clear(p.items)
	if cap(p.items) > keptItems {
		p.items = nil
	}
}

// apart is the sockets that do not get just the common messages.
type apart struct {
	list []protocol.SocketID
	set  map[protocol.SocketID]struct{} // instead of the list when that is long
}

func (a *apart) reset() { a.list, a.set = a.list[:0], nil }

func (a *apart) add(id protocol.SocketID) {
	if a.has(id) {
		return
	}
	if a.set != nil {
		a.set[id] = struct{}{}
		return
	}
	a.list = append(a.list, id)
	if len(a.list) > apartListed {
		a.set = make(map[protocol.SocketID]struct{}, 4*apartListed)
		for _, id := range a.list {
			a.set[id] = struct{}{}
		}
	}
}

func (a *apart) has(id protocol.SocketID) bool {
	if a.set != nil {
		_, ok := a.set[id]
		return ok
	}
	return len(a.list) > 0 && slices.Contains(a.list, id)
}
