package channels

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import "reverb/protocol"

type Subscriber interface {
	SocketID() protocol.SocketID
	Send(frame protocol.Frame) // never waits, copies or closes
}

// Options. Zero values: defaults.
type Options struct {
	Workers      int                                                       // broadcast workers, default GOMAXPROCS
	PendingBytes int64                                                     // frames that wait for one channel's next pass; over it Broadcast returns ErrBacklog; default 16 MiB
	OnPass       func(app string, frames, deliveries int, seconds float64) // told after each pass, may be nil
	Observer     Observer
}

// Observer calls are made after the locks are released, in order per channel.
type Observer interface {
	ChannelOccupied(app, channel string)
	ChannelVacated(app, channel string)
}

type Hub struct{}

func NewHub(o Options) *Hub { panic("stub") }
func (h *Hub) Close()       { panic("stub") } // stops workers, awaits them

// Subscription is one socket's place in one channel. Methods safe for the session's goroutine.
type Subscription struct{}

func (s *Subscription) Channel() string            { panic("stub") }
func (s *Subscription) Kind() protocol.Kind        { panic("stub") }
func (s *Subscription) Data() *protocol.MemberData { panic("stub") } // nil when none was sent

type JoinOptions struct {
	Kind       protocol.Kind
	Data       *protocol.MemberData // kept for every kind; the roster only for presence
	StringIDs  bool                 // pusher profile: ids as strings on the wire
	MaxMembers int                  // distinct users, 0 = no limit
}

// Subscribe adds sub and, in the channel's order: member_added to the others, subscription_succeeded to sub, then the cached event or cache_miss.
// old is sub's present subscription of the same channel or nil (re-subscribe: data replaced, a second reply, roster mended).
// ErrMembers when MaxMembers is reached: nothing is changed.
func (h *Hub) Subscribe(app, channel string, sub Subscriber, old *Subscription, o JoinOptions) (*Subscription, error) {
	panic("stub")
}

// Unsubscribe removes it; member_removed to those left; empty channels vanish with their cache. O(1). Idempotent.
func (h *Hub) Unsubscribe(s *Subscription) { panic("stub") }

// Broadcast delivers frame to all subscribers but except (zero: nobody excepted). cache: the event as JSON, kept when the channel is a cache
// channel (nil: not cached). Reports whether the channel exists. Never waits for sockets.
func (h *Hub) Broadcast(app, channel string, frame protocol.Frame, except protocol.SocketID, cache []byte) (bool, error) {
	panic("stub")
}

type Info struct {
	Name          string
	Kind          protocol.Kind
	Subscriptions int
	Users         int    // distinct users, presence only; all members without id count as one
	Cache         []byte // the cached event object, nil if none
}

func (h *Hub) Info(app, channel string) (Info, bool)                       { panic("stub") }
func (h *Hub) Channels(app, prefix string) []Info                          { panic("stub") } // sorted? creation order not needed; sorted by name
func (h *Hub) Members(app, channel string) ([]protocol.RosterMember, bool) { panic("stub") } // distinct, join order; only with id
func (h *Hub) Subscribers(app, channel, userID string) []Subscriber        { panic("stub") } // sockets of a user in one presence channel

type Stats struct{ Channels, Subscriptions int }

func (h *Hub) Stats() Stats { panic("stub") }
