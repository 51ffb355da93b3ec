package cluster

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"reverb/internal/logging"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// ErrClosed is what a Join of a closed relay is answered with.
var ErrClosed = errors.New("cluster: the relay is closed")

// complainEvery bounds how often trouble of one kind is logged.
const complainEvery = 10 * time.Second

// Relay is the native relay of one node. Start comes first and Close last; everything else may be called from any goroutine in between.
type Relay struct {
	// Constant after New.
	opts      Options
	names     names
	node      *identity
	interests *interests
	sequencer *sequencer
	cached    *cachedEvents
	counters  counters
	trouble   *logging.Throttle

	// Constant after Start.
	handler  scaling.Handler
	bus      *bus.Bus
	lanes    *lanes // what is published to the channels that this node needs
	control  *lanes // what is published to all nodes and to this one; one worker
	presence *presence
	gather   *gather
	stop     context.CancelFunc
	tasks    sync.WaitGroup
}

var _ scaling.Cluster = (*Relay)(nil)

// maxLanes bounds the workers that bring what Redis sends to the node.
const maxLanes = 16

// controlBytes bounds the questions, answers and terminations that wait, in bytes.
const controlBytes = 64 << 20

// New makes a relay that is not connected yet. The error is one of the options.
func New(o Options) (*Relay, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Relay{opts: o, names: names{o.Prefix}, node: newIdentity()}
	r.interests = newInterests(o.LingerBytes, r.release)
	r.counters.metrics = o.Metrics
	r.trouble = logging.NewThrottle(o.Log, complainEvery)
	r.sequencer = newSequencer(r.names, r.node.process, [2]int64{theAPI: o.SequenceBytes, clientsAlone: o.ClientSequenceBytes})
	r.cached = &cachedEvents{opts: o, names: r.names, node: r.node, interests: r.interests}
	r.interests.resume, r.interests.idled = r.cached.resume, r.cached.vacate
	return r, nil
}

// Start connects to Redis, and goes on doing so for ever. It waits a moment for the first connection, so that the first clients find the
// whole cluster, but does not fail without one: the node works alone until there is one.
func (r *Relay) Start(h scaling.Handler) error {
	r.handler = h
	r.lanes = newLanes(max(2, min(runtime.GOMAXPROCS(0), maxLanes)), r.opts.InboundBytes, r.receive, r.overflow)
	r.control = newLanes(1, controlBytes, r.receiveControl, func(string) { r.opts.Dropped(droppedQueue, 1) })
	ready, connected := make(chan struct{}), make(chan struct{})
	var once sync.Once
	options := r.opts.Redis
	options.Dropped = r.opts.Dropped
	b, err := bus.Open(options, bus.Hooks{
		Message: r.message,
		Up:      func() { <-ready; r.up(); once.Do(func() { close(connected) }) },
		Down:    func(err error) { <-ready; r.down(err) },
		Lapsed:  r.lapsed,
	})
	if err != nil {
		r.lanes.close()
		r.control.close()
		return fmt.Errorf("open redis: %w", err)
	}
	r.bus = b
	r.cached.handler, r.cached.bus, r.cached.lanes = h, b, r.lanes
	r.presence = newPresence(b, r.names, h, r.node, r.lanes, r.trouble, r.opts)
	r.gather = newGather(r)
	b.Subscribe(r.names.all(), nil)
	b.Subscribe(r.names.node(r.node.process.String()), nil)
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.tasks.Go(func() { r.presence.run(ctx) })
	r.tasks.Go(func() { r.sweep(ctx) })
	close(ready)
	select {
	case <-connected:
	case <-time.After(startWait):
	}
	return nil
}

// startWait bounds how long Start waits for the first connection.
const startWait = 2 * time.Second

// Close leaves the cluster and ends the relay; what waits for Redis is sent when that is possible at once.
func (r *Relay) Close() {
	if r.bus == nil {
		return
	}
	r.stop()
	r.tasks.Wait()
	r.bus.Close()
	r.lanes.close()
	r.control.close()
	for _, enter := range r.interests.close() {
		enter(ErrClosed)
	}
}

// Terminate closes the connections of the app's user here and then on the other nodes, as soon as they can be reached.
func (r *Relay) Terminate(app, userID string) {
	r.handler.Terminate(app, userID)
	payload := encodeTerminate(r.node.process, app, userID)
	if err := r.bus.Publish(bus.Message{Name: r.names.all(), Payload: payload}); err != nil {
		r.opts.Log.Warn("terminate was not passed on", "app", app, "err", err)
	}
}

// OtherConnections counts the app's connections on the other nodes, as of their last beats.
func (r *Relay) OtherConnections(app string) int { return r.presence.otherConnections(app) }

// Status tells how the connection to the other nodes is. A Redis that refuses what the nodes need is as good as none.
func (r *Relay) Status() scaling.Status {
	s := StatusOf(r.bus.State())
	s.Nodes = 1 + len(r.presence.peers())
	return s
}

// StatusOf is what the state of a bus means for a relay.
func StatusOf(state bus.State) scaling.Status {
	s := scaling.Status{Up: state.Up, Since: state.Since, WaitingBytes: state.WaitingBytes}
	switch {
	case state.Up && state.Refusal != nil:
		s.Up, s.Since = false, state.Refusal.Since
		s.Err, s.Refused = "redis refuses: "+state.Refusal.Text, state.Refusal.Code
	case state.Err != nil:
		s.Err = state.Err.Error()
	}
	return s
}

// up comes when all subscriptions are confirmed, before anything that waited is sent.
func (r *Relay) up() {
	r.opts.Log.Info("relay is up", "node", r.node.id())
	r.presence.up()
	caches := func(c *interest) bool { return c.kind.IsCache() }
	r.interests.each(caches, func(c *interest) { r.lanes.run(c.name, func() { r.cached.refetch(c) }) })
}

func (r *Relay) down(err error) {
	r.opts.Log.Warn("relay is down, the node works alone", "err", err)
	r.opts.Metrics.Disconnected()
	r.presence.down()
}

// lapsed comes when subscriptions were interrupted though Redis was there.
func (r *Relay) lapsed(names []string) {
	for _, name := range names {
		r.refreshLater(name)
	}
}

// message takes what Redis sends, on the goroutine that reads from it.
func (r *Relay) message(name string, payload []byte) {
	if len(payload) == 0 {
		r.counters.malform()
		return
	}
	if payload[0] >= kindQuery {
		r.control.message(name, payload)
		return
	}
	r.lanes.message(name, payload)
}

// sweep releases channels that nobody needs any more, and forgets where this node has not published for a while.
func (r *Relay) sweep(ctx context.Context) {
	tick := time.NewTicker(max(min(r.opts.Linger/4, time.Second), 10*time.Millisecond))
	defer tick.Stop()
	vouched := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			r.interests.release(now.Add(-r.opts.Linger))
			r.sequencer.sweep(now)
			if now.Sub(vouched) >= r.opts.Vouch/3 {
				vouched = now
				r.cached.vouchAgain()
				r.cached.kept.expire(now)
			}
		}
	}
}
