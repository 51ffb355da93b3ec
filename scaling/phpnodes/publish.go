package phpnodes

import (
	"errors"

	"reverb/outbound"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// Reasons why a message was dropped, beside those of bus.
const (
	droppedQueue   = "relay_queue"   // too much waited for this node's own work
	droppedBacklog = "relay_backlog" // the subscribers of the channel do not keep up
	droppedUnsafe  = "relay_unsafe"  // an event that PHP nodes would end over: only this node's subscribers had it
)

var errApp = errors.New("app id is not UTF-8")

// Publish brings m to this node's subscribers and then on its way to the others; see scaling.Publisher. What is for other nodes only is none
// of the PHP nodes' business (it tells of presence, which they do not share).
//
// Over a lost connection the last messages are sent again when Redis did not confirm them. Nodes of this program then drop what they
// have; clients of PHP nodes may get those events twice.
func (r *Relay) Publish(m scaling.Message) error {
	if r.handler == nil {
		return scaling.ErrNotStarted
	}
	if m.Elsewhere {
		return r.nodes.Publish(m)
	}
	text, err := r.encode(&m)
	if err != nil {
		r.opts.Metrics.Dropped(droppedUnsafe, 1)
		r.notPassedOn(droppedUnsafe, 1, err)
		return r.handler.Deliver(m) // nothing that the publisher does again would change the rest
	}
	p := &passing{relay: r, text: text, client: m.Client, signature: signature{node: r.id}}
	if p.signature.cache = m.Cache && r.opts.KindOf(m.Channel).IsCache(); p.signature.cache {
		r.nodes.Remember(m.App, m.Channel, m.Payload.JSON(), m.Client) // at once; passed does it again when the order is known
	}
	m.Order = p
	err = r.handler.Deliver(m)
	p.Pass() // nobody had a place for it
	if err == nil {
		err = p.err
	}
	return err
}

// passing is the way of one event to the other nodes, which begins once.
type passing struct {
	relay     *Relay
	text      []byte // but for the signature
	signature signature
	client    bool

	done bool
	err  error
}

// Pass hands the event to Redis for all other nodes. It implements scaling.Message.Order.
func (p *passing) Pass() {
	if p.done {
		return
	}
	p.done = true
	r := p.relay
	r.order.Lock()
	r.seq++
	p.signature.seq = r.seq
	err := r.bus.Publish(bus.Message{Name: r.opts.Channel, Payload: p.signature.appendTo(p.text), Yields: p.client})
	r.order.Unlock()
	if err != nil {
		p.err = scaling.ErrDropped // the bus has counted it
		return
	}
	r.opts.Metrics.Published(1)
}

// encode makes the message but for its signature.
func (r *Relay) encode(m *scaling.Message) ([]byte, error) {
	application := r.apps.json(m.App)
	if application == nil {
		return nil, errApp
	}
	const around = 160 // about what stands around application and payload, the signature included
	return appendEvent(make([]byte, 0, around+len(application)+m.Payload.Size()+m.Payload.Size()/8), application, m)
}

// passed handles an own cached event that has come back: its place among the events of others is now known, and it is what Redis and this
// node keep until the next one.
func (r *Relay) passed(app string, e *envelope) {
	names, err := e.channels()
	if err != nil {
		return
	}
	for _, channel := range names {
		event := e.event(channel)
		client := isClientEvent(event)
		r.nodes.Remember(app, channel, event.JSON(), client)
		r.handler.Cached(app, channel, event, client)
	}
}

// deliver brings an event of another node to this node's subscribers. cached says whether it is one that cache channels keep.
func (r *Relay) deliver(app string, e *envelope, cached bool) error {
	names, err := e.channels()
	if err != nil {
		return err
	}
	except := e.except()
	for _, channel := range names {
		kept := cached && r.opts.KindOf(channel).IsCache()
		if !kept && !r.roll.attended(app, channel) {
			continue
		}
		event := e.event(channel)
		client := kept && isClientEvent(event)
		if kept {
			r.nodes.Remember(app, channel, event.JSON(), client)
		}
		m := scaling.Message{App: app, Channel: channel, Payload: event, Except: except, Cache: kept, Client: client}
		if err := r.handler.Deliver(m); err != nil {
			r.opts.Metrics.Dropped(droppedBacklog, 1)
			r.notPassedOn(droppedBacklog, 1, err)
		}
	}
	return nil
}

// isClientEvent reports whether an event of a cache channel is a client's. Reverb's messages do not say so; its name does.
func isClientEvent(event outbound.Message) (client bool) {
	protocol.Members(event.JSON(), func(name, value []byte) bool {
		if string(name) == "event" {
			text, _ := protocol.Text(value)
			client = protocol.IsClientEvent(string(text))
		}
		return true
	})
	return client
}
