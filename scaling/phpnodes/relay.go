package phpnodes

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"reverb/internal/logging"
	"reverb/protocol"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
)

// Nodes is the relay of the nodes of this program, which carries what Reverb has no words for. cluster.Relay is one.
type Nodes interface {
	scaling.Cluster

	// Remember keeps the last event of a cache channel for later subscribers, on any of these nodes, and publishes nothing. client says
	// that it is a client's.
	Remember(app, channel string, event []byte, client bool)
}

var _ Nodes = (*cluster.Relay)(nil)

// Relay is the relay of a node that stands beside nodes of Laravel Reverb. Start comes first and Close last; everything else may be
// called from any goroutine in between.
type Relay struct {
	// Constant after New.
	opts    Options
	apps    *applications
	nodes   Nodes
	id      string // of this process, in its messages
	roll    *roll
	rounds  *rounds
	inbox   *inbox
	asked   chan metric // questions to be answered
	notices *logging.Throttle

	// Constant after Start.
	handler scaling.Handler
	bus     *bus.Bus
	stop    context.CancelFunc
	tasks   sync.WaitGroup

	// Owned by the inbox's worker.
	peers  peers
	appIDs appIDs

	order sync.Mutex // held while an event gets its number and is handed to the bus, or they would pass each other
	seq   uint64     // guarded by order: of the last event
}

var _ scaling.Cluster = (*Relay)(nil)

// maxAsked bounds the questions of others that wait to be answered.
const maxAsked = 1024

// New makes a relay that is not connected yet. The error is one of the options. Start and Close of nodes are the relay's to call.
func New(o Options, nodes Nodes) (*Relay, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	apps, err := newApplications(o.Apps, o.WholeApp)
	if err != nil {
		return nil, err
	}
	var id [8]byte
	rand.Read(id[:]) // never fails
	return &Relay{
		opts:    o,
		apps:    apps,
		nodes:   nodes,
		id:      hex.EncodeToString(id[:]),
		roll:    newRoll(),
		rounds:  newRounds(),
		inbox:   newInbox(o.InboundBytes),
		asked:   make(chan metric, maxAsked),
		notices: logging.NewThrottle(o.Log, noticeInterval),
		peers:   make(peers),
		appIDs:  make(appIDs),
	}, nil
}

// Start connects to Redis, and goes on doing so for ever. It waits a moment for the first connection, so that the first clients miss
// nothing, but does not fail without one: the node works alone until there is one.
func (r *Relay) Start(h scaling.Handler) error {
	if err := r.nodes.Start(h); err != nil {
		return fmt.Errorf("start relay of the nodes: %w", err)
	}
	ready, decided := make(chan struct{}), make(chan struct{})
	var once sync.Once
	decide := func() { once.Do(func() { close(decided) }) }
	b, err := bus.Open(r.opts.Redis, bus.Hooks{
		Message: func(_ string, payload []byte) { r.receive(payload) },
		Up:      func() { <-ready; r.up(); decide() },
		Down:    func(err error) { <-ready; r.down(err); decide() },
	})
	if err != nil {
		r.nodes.Close()
		return fmt.Errorf("open redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.handler, r.bus, r.stop = h, b, stop
	r.tasks.Go(func() { r.inbox.work(r.handle) })
	r.tasks.Go(func() { r.answerAll(ctx) })
	// The only subscription: each one makes PHP nodes wait for one answer more.
	b.Subscribe(r.opts.Channel, nil)
	close(ready)
	select {
	case <-decided:
	case <-time.After(startWait):
	}
	return nil
}

// startWait bounds how long Start waits for the first connection.
const startWait = 3 * time.Second

func (r *Relay) up() { r.opts.Log.Info("laravel relay is up", "node", r.id, "channel", r.opts.Channel) }

func (r *Relay) down(err error) {
	r.opts.Metrics.Disconnected()
	r.opts.Log.Warn("laravel relay is down, nodes of laravel reverb are not reached", "err", err)
}

// Close leaves the cluster and ends the relay; what waits for Redis is sent when that is possible at once.
func (r *Relay) Close() {
	if r.bus == nil {
		return
	}
	var nodes sync.WaitGroup
	nodes.Go(r.nodes.Close)
	r.bus.Close()
	r.stop()
	r.inbox.close()
	r.tasks.Wait()
	r.rounds.close()
	nodes.Wait()
	r.notices.Flush()
}

// Join asks the relay of the nodes when the channel has something that they share. A plain channel has not: its events come over the one
// Redis channel that this node is subscribed to anyway.
func (r *Relay) Join(j scaling.Join, done func(error)) {
	if !isShared(j.Kind) {
		r.roll.enter(j)
		done(nil)
		return
	}
	r.nodes.Join(j, func(err error) {
		if err == nil {
			r.roll.enter(j)
		}
		done(err)
	})
}

// Leave gives back a Join.
func (r *Relay) Leave(l scaling.Leave) {
	r.roll.exit(l)
	if isShared(l.Kind) {
		r.nodes.Leave(l)
	}
}

func isShared(k protocol.Kind) bool { return k.IsPresence() || k.IsCache() }

// Terminate closes the connections of the app's user here and on the nodes of this program, and on PHP nodes if they survive it.
func (r *Relay) Terminate(app, userID string) {
	r.nodes.Terminate(app, userID)
	if r.opts.TerminatePHP {
		r.terminatePHP(app, userID)
	}
}

// terminatePHP tells PHP nodes. None of them has a user whose id JSON cannot write.
func (r *Relay) terminatePHP(app, userID string) {
	application := r.apps.json(app)
	if application == nil || !utf8.ValidString(userID) {
		return
	}
	s := signature{node: r.id}
	text := s.appendTo(appendTerminate(nil, application, userID))
	if err := r.bus.Publish(bus.Message{Name: r.opts.Channel, Payload: text}); err != nil {
		r.opts.Log.Warn("terminate was not passed on to nodes of laravel reverb", "app", app, "err", err)
	}
}

// OtherConnections counts those on nodes of this program. What PHP nodes have is not known: they hold their limits alone.
func (r *Relay) OtherConnections(app string) int { return r.nodes.OtherConnections(app) }

// Nodes are those of this program. PHP nodes tell nobody that they live.
func (r *Relay) Nodes() []scaling.Node { return r.nodes.Nodes() }

// Status is up when both relays are. Its nodes are those of this program.
func (r *Relay) Status() scaling.Status {
	s := r.nodes.Status()
	own := cluster.StatusOf(r.bus.State())
	s.WaitingBytes += own.WaitingBytes
	if s.Up && !own.Up {
		s.Up, s.Err, s.Refused = false, own.Err, own.Refused
	}
	if own.Since.After(s.Since) {
		s.Since = own.Since
	}
	return s
}
