package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"reverb/internal/logging"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// presence knows who is on the presence channels that this node holds, tells the cluster who is here, and keeps this node's lease.
//
// All methods may be called from any goroutine. What concerns one channel happens on that channel's lane, in the order it was asked for;
// the Handler is called there, with no lock held.
type presence struct {
	// Constant after construction.
	bus     *bus.Bus
	names   names
	handler scaling.Handler
	node    *identity
	o       Options
	lanes   *lanes
	trouble *logging.Throttle
	kick    chan struct{} // beat now
	about   string        // what this node says of itself

	lease    lease
	reaping  atomic.Bool // a dead node is being looked after
	quitting atomic.Bool
	tasks    sync.WaitGroup

	replicas *replicas
	audits   int // part of the replicas that is audited next; owned by run

	mu sync.Mutex
	// Guarded by mu.
	marked map[*replica]struct{} // that want a tick
}

func newPresence(b *bus.Bus, names names, h scaling.Handler, node *identity, lanes *lanes, t *logging.Throttle, o Options) *presence {
	p := &presence{
		bus: b, names: names, handler: h, node: node, lanes: lanes, o: o, trouble: t,
		kick:     make(chan struct{}, 1),
		about:    encodeAbout(&o, time.Now()),
		replicas: newReplicas(),
		marked:   make(map[*replica]struct{}),
	}
	p.lease.start(node.id().String())
	return p
}

// open begins to follow the members of a channel that is held and whose Redis subscription is confirmed, or Redis is down. ready is called
// once, on the channel's lane, when the roster is in the hub; not at all when the channel is closed before. open is called on that lane.
func (p *presence) open(app, channel string, ready func()) {
	p.replica(app, channel, p.names.events(app, channel)).start(ready)
}

// join counts one more socket of a user in. done is called once, on the channel's lane: with nil when the user is in the roster and
// announced to the cluster, as far as Redis can be reached; with ErrMembers when the channel has maxMembers users (0: any number).
func (p *presence) join(app, channel string, m *protocol.MemberData, maxMembers int, done func(error)) {
	events := p.names.events(app, channel)
	p.lanes.run(events, func() { p.replica(app, channel, events).join(m, maxMembers, done) })
}

// leave counts out what a join with done(nil) has counted in.
func (p *presence) leave(app, channel string, m *protocol.MemberData, grace bool) {
	events := p.names.events(app, channel)
	p.lanes.run(events, func() {
		if r := p.find(events); r != nil {
			r.leave(m.UserID, grace)
		}
	})
}

// delta takes a change of a roster: what follows deltaHeader. It is called on the channel's lane.
func (p *presence) delta(events string, body []byte) {
	r := p.find(events)
	if r == nil {
		return
	}
	d, err := decodeDelta(body)
	if err != nil {
		p.trouble.Log(slog.LevelWarn, "", "cannot read the change of a roster", slog.String("app", r.app), slog.String("channel", r.channel))
		r.fetch()
		return
	}
	r.take(d)
}

// lost says that something published to the channel did not reach delta. It is called on the channel's lane.
func (p *presence) lost(events string) {
	if r := p.find(events); r != nil {
		r.fetch()
	}
}

// close ends following the channel: the handler is not called for it any more. It is called on the channel's lane.
func (p *presence) close(app, channel string) {
	if r := p.find(p.names.events(app, channel)); r != nil {
		r.close()
	}
}

// up makes the node beat; when Redis has told who we are, the rosters are healed.
func (p *presence) up() { p.beatNow() }

// down makes the rosters what this node knows.
func (p *presence) down() {
	p.lease.lose()
	p.each((*replica).down)
}

// run keeps the lease, heals, and looks after the dead, until ctx ends. Then this node leaves the cluster, which takes at most quitTimeout:
// the bus and the lanes must still be open.
func (p *presence) run(ctx context.Context) {
	defer p.tasks.Wait()
	beats := time.NewTicker(p.o.Beat)
	defer beats.Stop()
	for {
		select {
		case <-ctx.Done():
			p.quit()
			return
		case <-beats.C:
		case <-p.kick:
		}
		if p.bus.Up() {
			p.beat(ctx)
		}
		p.tick()
	}
}

func (p *presence) beatNow() {
	select {
	case p.kick <- struct{}{}:
	default: // it will anyway
	}
}

// offline reports whether asking Redis is in vain.
func (p *presence) offline() bool { return p.quitting.Load() || !p.bus.Up() }

// complain logs what Redis refuses, not that it is down: that is told once by others.
func (p *presence) complain(what string, err error) {
	if errors.Is(err, bus.ErrDown) || errors.Is(err, bus.ErrClosed) || errors.Is(err, context.Canceled) {
		return
	}
	p.trouble.Log(slog.LevelError, "", "redis refuses presence", slog.String("doing", what), slog.Any("err", err))
}

// do runs c and waits for the reply.
func (p *presence) do(ctx context.Context, c bus.Command) (bus.Reply, error) {
	replies := make(chan bus.Reply, 1)
	p.bus.Do(c, func(r bus.Reply) { replies <- r })
	select {
	case r := <-replies:
		return r, r.Err()
	case <-ctx.Done():
		return bus.Reply{}, ctx.Err()
	}
}

// ask runs c, and then on the reply, on the channel's lane.
func (p *presence) ask(events string, c bus.Command, then func(bus.Reply)) {
	p.bus.Do(c, func(r bus.Reply) { p.lanes.run(events, func() { then(r) }) })
}

func (p *presence) find(events string) *replica { return p.replicas.find(events) }

// replica returns that of a channel, a new one if there is none. It is called on the channel's lane.
func (p *presence) replica(app, channel, events string) *replica {
	r := p.find(events)
	if r == nil {
		r = newReplica(p, app, channel, events)
		p.replicas.add(r)
	}
	return r
}

// each calls f for every replica, on its lane, some time later.
func (p *presence) each(f func(*replica)) {
	p.replicas.each(func(r *replica) { p.later(r, f) })
}

// later calls f for r on its lane, unless it is forgotten by then.
func (p *presence) later(r *replica, f func(*replica)) {
	p.lanes.run(r.events, func() {
		if !r.gone {
			f(r)
		}
	})
}

// mark asks for a tick of r. It is called on the channel's lane.
func (p *presence) mark(r *replica) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.marked[r] = struct{}{}
}

// forget takes out a replica that has nothing more to do.
func (p *presence) forget(r *replica) {
	p.replicas.remove(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.marked, r)
}

// tick gives the marked replicas a look, and some of the others too.
func (p *presence) tick() {
	now := time.Now()
	p.mu.Lock()
	marked := p.marked
	p.marked = make(map[*replica]struct{})
	p.mu.Unlock()
	for r := range marked {
		p.later(r, func(r *replica) { r.tick(now) })
	}
	left := auditsPerBeat
	for range replicaShards {
		some := p.replicas.some(p.audits, left)
		for _, r := range some {
			p.later(r, (*replica).audit)
		}
		p.audits = (p.audits + 1) % replicaShards
		if left -= len(some); left == 0 {
			break
		}
	}
}
