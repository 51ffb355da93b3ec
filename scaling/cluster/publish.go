package cluster

import (
	"sync"
	"time"

	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// Publish brings m to this node's subscribers and then on its way to the others; see scaling.Publisher.
func (r *Relay) Publish(m scaling.Message) error {
	cached := m.Cache && mayCache(m.Channel)
	if cached {
		if c := r.interests.find(r.names.events(m.App, m.Channel)); c != nil && c.kind.IsCache() {
			return r.publishCached(c, m)
		}
	}
	_, passed, err := r.deliverAndPass(m, cached, nil)
	if err == nil {
		err = passed
	}
	return err
}

// publishCached publishes an event of a cache channel that this node holds. Here and in Redis own events must be cached in the same order,
// hence the lock around both.
func (r *Relay) publishCached(c *interest, m scaling.Message) error {
	c.last.mu.Lock()
	defer c.last.mu.Unlock()
	seq, passed, err := r.deliverAndPass(m, true, c)
	if !m.Elsewhere {
		c.last.client.Store(m.Client)
	}
	if passed == nil && !m.Elsewhere {
		c.last.sentLocked(seq, time.Now().Add(r.opts.echoWait()))
	}
	if err == nil {
		err = passed
	}
	return err
}

// mayCache reports whether a channel of this name is a cache channel by the rules of any app. Whether it is one by those of its own app is
// known only where it has subscribers; what is kept of another is never asked for.
func mayCache(channel string) bool {
	return protocol.KindOf(channel).IsCache() || protocol.StrictKindOf(channel).IsCache()
}

// deliverAndPass brings m to this node's subscribers and puts it on its way to the other nodes, at the same place in the channel's order. It
// returns its sequence, the error of the way, and that of this node.
func (r *Relay) deliverAndPass(m scaling.Message, cached bool, c *interest) (seq uint64, passed, err error) {
	if m.Elsewhere {
		seq, passed = r.passOn(m, cached, c)
		return seq, passed, nil
	}
	p := passings.Get().(*passing)
	p.relay, p.message, p.cached, p.interest = r, m, cached, c
	m.Order = p
	err = r.handler.Deliver(m)
	p.Pass() // nobody had a place for it
	seq, passed = p.seq, p.err
	*p = passing{}
	passings.Put(p)
	return seq, passed, err
}

// passing is the way of one message to the other nodes, which begins once.
type passing struct {
	relay    *Relay
	message  scaling.Message
	cached   bool
	interest *interest

	done bool
	seq  uint64
	err  error
}

var passings = sync.Pool{New: func() any { return new(passing) }}

// Pass implements scaling.Message.Order.
func (p *passing) Pass() {
	if !p.done {
		p.done = true
		p.seq, p.err = p.relay.passOn(p.message, p.cached, p.interest)
	}
}

// passOn puts m on its way to the other nodes, and to Redis to be kept. c is nil when this node does not follow the channel.
func (r *Relay) passOn(m scaling.Message, cached bool, c *interest) (seq uint64, err error) {
	var keep *bus.Keep
	if cached {
		keep = r.cached.keep(m, c)
	}
	seq, err = r.sequencer.publish(r.bus, m, keep)
	if err != nil {
		return seq, err
	}
	r.opts.Metrics.Published(1)
	if cached {
		r.cached.count(m.App, r.names.events(m.App, m.Channel), m.Client, m.Payload.JSON())
	}
	return seq, nil
}
