package channels

import (
	"cmp"
	"errors"
	"hash/maphash"
	"runtime"
	"sync/atomic"

	"reverb/facts"
	"reverb/outbound"
	"reverb/protocol"
	"reverb/transport"
)

// The bounds of the frames that wait, in bytes: for one channel's next pass, and of clients' events for those of all
// channels. A client that is in a hundred crowded channels must not fill them all. Half of the first has room for 4,096
// events of the largest size that Laravel Reverb's default allows: a frame in the queue costs a quarter of the
// connection whose request would wait instead.
const (
	defaultPendingBytes = 80 << 20
	defaultClientBytes  = 8 << 20
)

var (
	// ErrBacklog says that a channel has more frames waiting than Options.PendingBytes; the call has done nothing and
	// may be tried again.
	ErrBacklog = errors.New("channels: too many frames wait for the channel")

	// ErrMembers says that a presence channel has JoinOptions.MaxMembers users already.
	ErrMembers = errors.New("channels: the presence channel is full")
)

// Subscriber is one socket, as the hub sees it.
type Subscriber interface {
	SocketID() protocol.SocketID

	// Encoding is how the socket takes its messages. It does not change.
	Encoding() *outbound.Encoding

	// Send hands over messages in the socket's encoding, in order. It never waits, copies or closes; it is called with
	// locks of the hub held and must not call the hub.
	Send(encoded []byte)

	// Answer is Send for the reply to a subscribe of the socket itself.
	Answer(encoded []byte)
}

// Options of a hub. Zero values mean the defaults.
type Options struct {
	// Workers is the number of broadcast workers; default GOMAXPROCS.
	Workers int

	// PendingBytes bounds the frames that wait for one channel's next pass, each counted with its bookkeeping; over it
	// Broadcast returns ErrBacklog. From half of it on Room says no. Default 80 MiB.
	PendingBytes int64

	// Pace is asked how a subscriber takes its frames. While next to none that read keep up with a channel its frames
	// wait here. It runs with the channel's lock held and must not wait or call the hub. Nil: all keep up.
	Pace func(Subscriber) transport.Pace

	// ClientPendingBytes bounds the clients' events that wait for the next passes of all channels together; over it
	// Broadcast returns ErrBacklog for such an event. Default 8 MiB.
	ClientPendingBytes int64

	// Replicated says that rosters are those of a cluster: AddMember and RemoveMember change and announce them,
	// Subscribe and Unsubscribe only send them, and Hold keeps channels that have no subscriber.
	Replicated bool

	// OnPass is told after each pass how many frames it had, how many deliveries they made together and how long the
	// walk took. It runs on the walker's goroutine with no lock held. It may be nil.
	OnPass func(app string, frames, deliveries int, seconds float64)

	// OnReply is told after a subscribe how many frames its socket got in answer. Those that had to wait for a pass are
	// deliveries of that. It runs with no lock held. It may be nil.
	OnReply func(app string, frames int)

	// OnAnnounce is given each member announcement when it gets its place in the channel's order, also in a channel
	// without subscribers. It runs with locks of the hub held and must not wait or call the hub. It may be nil.
	OnAnnounce func(channel string, m outbound.Message)

	// NewTurn makes a function for each worker, which lets other goroutines have their turn between two parts of a
	// large pass. Default is runtime.Gosched for all.
	NewTurn func() func()

	// CacheLimit is how many bytes the cached events of an app may have on this node, those of clients or those of the
	// HTTP API; 0: any number. It runs with locks of the hub held and must not wait or call the hub. It may be nil: no
	// limit.
	CacheLimit func(app string, client bool) int64

	// OnUncached is told of each event of a cache channel that CacheLimit kept out. It runs as CacheLimit does. It may
	// be nil.
	OnUncached func(app string, client bool)

	// Facts is told of the changes of the channels, see package facts; of a replicated hub only cache misses. Nil: they
	// are not recorded.
	Facts facts.Recorder
}

// Hub knows the subscribers of every channel on this node. All methods may be called from any goroutine. It must be
// made with NewHub.
type Hub struct {
	// Constant after construction.
	replicated bool
	recorder   facts.Recorder

	registry registry
	users    users
	delivery delivery

	// Atomic.
	channels      atomic.Int64
	subscriptions atomic.Int64
}

// NewHub starts the workers of an empty hub. Close ends them.
func NewHub(o Options) *Hub {
	seed := maphash.MakeSeed()
	h := &Hub{
		replicated: o.Replicated,
		recorder:   o.Facts,
		registry:   registry{seed: seed, accounts: accounts{limit: o.CacheLimit, refused: o.OnUncached}},
		users:      users{seed: seed},
		delivery: delivery{
			pendingBytes: cmp.Or(o.PendingBytes, defaultPendingBytes),
			clientBytes:  cmp.Or(o.ClientPendingBytes, defaultClientBytes),
			onPass:       o.OnPass,
			onReply:      o.OnReply,
			onAnnounce:   o.OnAnnounce,
			brake:        brake{pace: o.Pace},
		},
	}
	newTurn := o.NewTurn
	if newTurn == nil {
		newTurn = func() func() { return runtime.Gosched }
	}
	h.delivery.start(cmp.Or(o.Workers, runtime.GOMAXPROCS(0)), newTurn)
	return h
}

// Close lets the workers deliver the frames that wait, ends them and returns when the last has gone. Nothing that needs
// a worker is delivered afterwards.
func (h *Hub) Close() {
	h.delivery.close()
}

// AllSent reports whether nothing that was published waits for a pass or is in one.
func (h *Hub) AllSent() bool { return h.delivery.allSent() }

// JoinOptions are the terms of one subscription.
type JoinOptions struct {
	Kind       protocol.Kind
	Data       *protocol.MemberData // kept for every kind, must not change any more; the roster only for presence; may be nil
	StringIDs  bool                 // the pusher profile: user ids are strings on the wire
	MaxMembers int                  // distinct users of the presence channel; 0 = no limit
}

// Subscribe adds sub to the channel and makes the channel if there is none. In the channel's order: member_added to the
// others, subscription_succeeded to sub, then the cached event or cache_miss (Reverb: PresenceChannel, CacheChannel).
//
// old is sub's present subscription of the same channel, or nil. With it the data is replaced, the roster mended, a
// second reply sent, and old itself returned.
//
// ErrMembers and ErrBacklog leave everything as it was. The latter means an announcement that finds no room, or a
// second reply while the one before it still waits: a roster is long, and a client that asks for it over and over must
// not fill the room of the others' events.
func (h *Hub) Subscribe(app, channel string, sub Subscriber, old *Subscription, o JoinOptions) (*Subscription, error) {
	c := h.registry.openLocked(app, channel, o.Kind)
	var t tally
	var s *Subscription
	var err error
	if old != nil && old.channel == c {
		s, err = old, h.renewLocked(c, old, o, &t)
	} else {
		s, err = h.joinLocked(c, sub, o, &t)
	}
	c.mu.Unlock()
	h.delivery.report(c, t)
	h.tell(c)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// Unsubscribe ends the subscription: member_removed to the other subscribers when the user has no other socket in the
// channel; the channel vanishes with its cache when it has no subscriber left. When it returns, no frame of the channel
// is sent to the subscriber any more. O(1), but for the copy of a large subscriber list once per pass. Calling it again
// does nothing.
func (h *Hub) Unsubscribe(s *Subscription) {
	c := s.channel
	var t tally
	c.mu.Lock()
	if s.index < 0 {
		c.mu.Unlock()
		return
	}
	h.leaveLocked(c, s, &t)
	vacated := c.gone
	c.mu.Unlock()

	// A pass that began before may be at s just now. It holds s.mu for that one Send.
	s.mu.Lock()
	s.from = never
	s.mu.Unlock()

	if vacated {
		c.home.remove(c)
	}
	h.delivery.report(c, t)
	h.tell(c)
}

// joinLocked adds a new subscription. The caller holds c.mu.
func (h *Hub) joinLocked(c *Channel, sub Subscriber, o JoinOptions, t *tally) (*Subscription, error) {
	s := &Subscription{channel: c, subscriber: sub, id: sub.SocketID(), data: o.Data}
	came := false
	if c.kind.IsPresence() {
		c.openRosterLocked(o.StringIDs)
		var err error
		if came, err = h.enterLocked(c, o, t); err != nil {
			return nil, err
		}
	}
	if c.queue != nil { // the frames that wait now were published before s came
		s.from = h.delivery.sequence.Load() + 1
	}
	if c.subs.len() == 0 {
		h.channels.Add(1)
		h.postLocked(c, facts.ChannelOccupied, "")
	}
	if came {
		h.postLocked(c, facts.MemberAdded, userID(o.Data))
	}
	c.subs.add(s)
	h.subscriptions.Add(1)
	h.users.add(c.home.app, c.userOf(o.Data), sub)
	t.replies += c.replyLocked(func(m outbound.Message) { answer(sub, m) })
	h.missLocked(c)
	return s, nil
}

// enterLocked brings a new subscription of a presence channel into its roster, and reports whether its user came with
// it. The caller holds c.mu.
func (h *Hub) enterLocked(c *Channel, o JoinOptions, t *tally) (came bool, err error) {
	if h.replicated {
		return false, h.enterReplicatedLocked(c, o, t)
	}
	if !c.roster.admits(o.Data, nil, o.MaxMembers) {
		return false, ErrMembers
	}
	if h.delivery.fullLocked(c) {
		return false, ErrBacklog
	}
	if !c.roster.join(o.Data) {
		return false, nil
	}
	h.delivery.announceLocked(c, c.roster.added(c.name, o.Data), protocol.SocketID{}, t)
	return userID(o.Data) != "", nil
}

// renewLocked is a second subscribe of a socket that is in the channel. The caller holds c.mu.
//
// Reverb replaces the data and replies again, but forgets to announce the end of the former user id; here it is
// announced.
func (h *Hub) renewLocked(c *Channel, s *Subscription, o JoinOptions, t *tally) error {
	if c.roster != nil && !h.admitsAgain(c.roster, s.data, o) {
		return ErrMembers
	}
	if s.replying || h.delivery.fullLocked(c) || c.busy && h.delivery.clientsFull() {
		return ErrBacklog
	}
	former := s.data
	s.data = o.Data
	h.users.add(c.home.app, c.userOf(s.data), s.subscriber)
	h.users.remove(c.home.app, c.userOf(former), s.subscriber)
	switch r := c.roster; {
	case r == nil:
	case h.replicated:
		h.renewReplicatedLocked(c, s, former, t)
	case !r.renew(former, o.Data):
		if r.leave(former) {
			h.delivery.announceLocked(c, r.removed(c.name, former), s.id, t)
			h.postLocked(c, facts.MemberRemoved, userID(former))
		}
		if r.join(o.Data) {
			h.delivery.announceLocked(c, r.added(c.name, o.Data), s.id, t)
			if id := userID(o.Data); id != "" {
				h.postLocked(c, facts.MemberAdded, id)
			}
		}
	}
	if !c.busy {
		t.replies += c.replyLocked(func(m outbound.Message) { answer(s.subscriber, m) })
		return nil
	}
	s.replying = true
	c.replyLocked(func(m outbound.Message) { h.delivery.enqueueLocked(c, item{message: m, only: s, client: true}) })
	return nil
}

// leaveLocked takes s out. The caller holds c.mu.
func (h *Hub) leaveLocked(c *Channel, s *Subscription, t *tally) {
	c.subs.remove(s)
	h.subscriptions.Add(-1)
	h.users.remove(c.home.app, c.userOf(s.data), s.subscriber)
	last := c.roster != nil && h.exitLocked(c, s)
	if last {
		h.postLocked(c, facts.MemberRemoved, userID(s.data))
	}
	if c.subs.len() > 0 {
		if last {
			h.delivery.announceLocked(c, c.roster.removed(c.name, s.data), protocol.SocketID{}, t)
		}
		return
	}
	switch {
	case !c.held:
		h.vacateLocked(c)
	case c.cache != nil && c.cache.client:
		c.forgetCachedLocked() // a client's event is kept only while the channel has a subscriber
	}
	h.channels.Add(-1)
	h.postLocked(c, facts.ChannelVacated, "")
}

// exitLocked takes a subscription out of the roster and reports whether that is to be announced. The caller holds c.mu.
func (h *Hub) exitLocked(c *Channel, s *Subscription) bool {
	if h.replicated {
		c.roster.exitReplicated(s.data)
		return false
	}
	return c.roster.leave(s.data)
}
