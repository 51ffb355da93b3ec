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
	"reverb/scaling/cluster/roster"
)

// presence has the presence channels that this node follows, tells the cluster of this node's users, and keeps this node's lease.
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

	views   *channelViews
	checked int // part of the views that is compared with Redis next; owned by run

	mu sync.Mutex
	// Guarded by mu.
	ticking map[*channelView]struct{} // that want a tick
}

func newPresence(b *bus.Bus, names names, h scaling.Handler, node *identity, lanes *lanes, t *logging.Throttle, o Options) *presence {
	p := &presence{
		bus: b, names: names, handler: h, node: node, lanes: lanes, o: o, trouble: t,
		kick:    make(chan struct{}, 1),
		about:   encodeAbout(&o, time.Now()),
		views:   newChannelViews(),
		ticking: make(map[*channelView]struct{}),
	}
	p.lease.start(node.id().String())
	return p
}

// open begins to follow the members of a channel that is held and whose Redis subscription is confirmed, or Redis is down. ready is called
// once, on the channel's lane, when the roster is in the hub; not at all when the channel is closed before. open is called on that lane.
func (p *presence) open(app, channel string, ready func()) {
	p.view(app, channel, p.names.events(app, channel)).open(ready)
}

// join counts one more socket of a user in. done is called once, on the channel's lane: with nil when the user is in the roster and
// announced to the cluster, as far as Redis can be reached; with ErrMembers when the channel has maxMembers users (0: any number).
func (p *presence) join(app, channel string, m *protocol.MemberData, maxMembers int, done func(error)) {
	events := p.names.events(app, channel)
	p.lanes.run(events, func() { p.view(app, channel, events).step(roster.Join{Member: m, Most: maxMembers, Done: done}) })
}

// leave counts out what a join with done(nil) has counted in.
func (p *presence) leave(app, channel string, m *protocol.MemberData, grace bool) {
	events := p.names.events(app, channel)
	p.lanes.run(events, func() {
		if c := p.views.find(events); c != nil {
			c.step(roster.Leave{UserID: m.UserID, Grace: grace})
		}
	})
}

// delta takes a change of a roster: what follows deltaHeader. It is called on the channel's lane.
func (p *presence) delta(events string, body []byte) {
	c := p.views.find(events)
	if c == nil {
		return
	}
	d, err := roster.DecodeDelta(body)
	if err != nil {
		p.trouble.Log(slog.LevelWarn, "", "cannot read the change of a roster", slog.String("app", c.app), slog.String("channel", c.channel))
		c.step(roster.DeltasLost{})
		return
	}
	c.step(roster.DeltaCame{Delta: d})
}

// lost says that something published to the channel did not reach delta. It is called on the channel's lane.
func (p *presence) lost(events string) {
	if c := p.views.find(events); c != nil {
		c.step(roster.DeltasLost{})
	}
}

// close ends following the channel: the handler is not called for it any more. It is called on the channel's lane.
func (p *presence) close(app, channel string) {
	if c := p.views.find(p.names.events(app, channel)); c != nil {
		c.close()
	}
}

// up makes the node beat; when Redis has told who this node is, the views and Redis are made to agree.
func (p *presence) up() { p.beatNow() }

// down makes the rosters what this node knows.
func (p *presence) down() {
	p.lease.lose()
	p.stepEach(roster.RedisLost{})
}

// run keeps the lease, ticks, and looks after the dead, until ctx ends. Then this node leaves the cluster, which takes at most quitTimeout:
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

// complainOf logs an error, if there is one.
func (p *presence) complainOf(what string, err error) {
	if err != nil {
		p.complain(what, err)
	}
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

// moment is now.
func (p *presence) moment() roster.Moment {
	id, alive := p.session()
	return roster.Moment{Now: time.Now(), Node: id, Alive: alive, Online: !p.offline()}
}

// view returns that of a channel, a new one if there is none. It is called on the channel's lane.
func (p *presence) view(app, channel, events string) *channelView {
	c := p.views.find(events)
	if c == nil {
		c = newChannelView(p, app, channel, events)
		p.views.add(c)
	}
	return c
}

// stepEach has every view take the input, some time later.
func (p *presence) stepEach(in roster.Input) {
	p.views.each(func(c *channelView) { p.stepLater(c, in) })
}

// stepLater has a view take the input on its lane, unless it is over by then.
func (p *presence) stepLater(c *channelView, in roster.Input) {
	p.lanes.run(c.events, func() {
		if !c.over {
			c.step(in)
		}
	})
}

// tickNext has a view get the next tick. It is called on the channel's lane.
func (p *presence) tickNext(c *channelView) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ticking[c] = struct{}{}
}

// forget takes out a view that has nothing more to do.
func (p *presence) forget(c *channelView) {
	p.views.remove(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ticking, c)
}

// checksPerBeat is how many views are compared with Redis at each beat, whether anything seems wrong or not.
const checksPerBeat = 32

// tick gives a tick to the views that want one, and compares some with Redis.
func (p *presence) tick() {
	p.mu.Lock()
	ticking := p.ticking
	p.ticking = make(map[*channelView]struct{})
	p.mu.Unlock()
	for c := range ticking {
		p.stepLater(c, roster.Tick{})
	}
	left := checksPerBeat
	for range viewShards {
		some := p.views.some(p.checked, left)
		for _, c := range some {
			p.stepLater(c, roster.CheckAgainstRedis{})
		}
		p.checked = (p.checked + 1) % viewShards
		if left -= len(some); left == 0 {
			break
		}
	}
}
