package bus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"reverb/scaling/bus/publish"
	"reverb/scaling/bus/subscribe"
	"reverb/scaling/redis"
)

var (
	// ErrDown says that Redis cannot be reached, or was lost before it answered: whether it executed the command is not known.
	ErrDown = redis.ErrDown
	// ErrFull says that a publication was dropped: the buffer of what waits for Redis is full.
	ErrFull = publish.ErrFull
	// ErrClosed says that the bus has been closed.
	ErrClosed = redis.ErrClosed
	// ErrUnsubscribed says that the name was unsubscribed before Redis confirmed its subscription.
	ErrUnsubscribed = subscribe.ErrUnsubscribed
)

// Reasons why a publication was dropped, as Options.Dropped gets them.
const (
	DroppedFull    = publish.DroppedFull
	DroppedAge     = publish.DroppedAge
	DroppedRefused = publish.DroppedRefused
	DroppedClosed  = publish.DroppedClosed
)

// What is sent to Redis, and its answers.
type (
	Message = publish.Message
	Keep    = publish.Keep
	Command = publish.Command
	Script  = publish.Script
	Reply   = publish.Reply
	Refusal = publish.Refusal
)

// NewScript makes a script of Lua source. In a script, "PUBLISH" must be Bus.PublishCommand.
func NewScript(source string) *Script { return publish.NewScript(source) }

// Options say where Redis is and how it is used. The zero value of a field is its default.
type Options struct {
	// Addrs are host:port of the one Redis, or the path of its Unix socket, or host:port of some nodes of the cluster. Not used with
	// Sentinel.
	Addrs              []string
	Username, Password string
	Database           int         // not in a cluster
	TLS                *tls.Config // nil: without TLS. Its ServerName, when empty, is the host that is connected to
	Cluster            bool
	Sentinel           Sentinel

	ConnectTimeout time.Duration // bound of one connection attempt, 5 s
	ReplyTimeout   time.Duration // a connection that answers nothing for this long is lost, 3 s
	Settle         time.Duration // after an outage, how long publications still wait so that the other nodes are back too, 1 s; negative: not
	BufferBytes    int64         // of publications that wait, with what they cost beside name and payload, 32 MiB
	YieldBytes     int64         // of publications that wait when one with Message.Yields comes, a sixteenth of BufferBytes
	BufferAge      time.Duration // a publication waits at most this long, 30 s

	Log     *slog.Logger                   // nil: no log
	Dropped func(reason string, count int) // counts dropped publications, one of the Dropped constants; may be nil
}

// Sentinel says which master to follow and who knows it. It is used when Master is not empty.
type Sentinel struct {
	Master             string
	Addrs              []string // host:port of the sentinels
	Username, Password string   // of the sentinels; those of the master are in Options
	TLS                *tls.Config
}

// Hooks are what the bus calls. Message must not wait, nor may the others for long. Message and Up are required.
type Hooks struct {
	// Message is called with what was published on a subscribed name, on the goroutine that reads from Redis: in the order of the
	// publishers, from several goroutines in a cluster. payload is the callee's.
	Message func(name string, payload []byte)

	// Up is called when Redis is reached and every wanted subscription is confirmed, also the first time: before anything that
	// waited is sent. Up and Down take turns. Up, Down and Lapsed are called by one goroutine.
	Up func()

	// Down is called when Redis, or one master of the cluster, is lost.
	Down func(err error)

	// Lapsed is called with names that are subscribed again after their subscriptions ended while the bus was up, because their slot
	// moved to another master: what was published in between did not arrive. When nil, Down and Up are called instead.
	Lapsed func(names []string)
}

// State is how a bus stands.
type State struct {
	Up           bool
	Since        time.Time // of the last change of Up, or of Open
	Err          error     // why it is down, nil when up or not tried yet
	Refusal      *Refusal  // what Redis refuses, up or not; nil: nothing
	Waiting      int       // publications that are not yet confirmed by Redis
	WaitingBytes int64
}

// withDefaults is o with every default in place, or what is wrong with it.
func (o Options) withDefaults() (Options, error) {
	addrs := o.Addrs
	if o.Sentinel.Master != "" {
		addrs = o.Sentinel.Addrs
	}
	if len(addrs) == 0 {
		return o, errors.New("no address of redis")
	}
	for _, addr := range addrs {
		if _, _, err := net.SplitHostPort(addr); err != nil && redis.NetworkOf(addr) != "unix" {
			return o, fmt.Errorf("address of redis: %w", err)
		}
	}
	switch {
	case o.Sentinel.Master != "" && o.Cluster:
		return o, errors.New("sentinel and cluster exclude each other")
	case o.Sentinel.Master == "" && len(o.Sentinel.Addrs) > 0:
		return o, errors.New("sentinel needs the name of the master")
	case o.Cluster && o.Database != 0:
		return o, errors.New("a redis cluster has database 0 only")
	case !o.Cluster && o.Sentinel.Master == "" && len(addrs) > 1:
		return o, errors.New("more than one address needs cluster or sentinel")
	}
	setDefault(&o.ConnectTimeout, 5*time.Second)
	setDefault(&o.ReplyTimeout, 3*time.Second)
	setDefault(&o.Settle, time.Second)
	setDefault(&o.BufferAge, 30*time.Second)
	if o.BufferBytes <= 0 {
		o.BufferBytes = 32 << 20
	}
	if o.YieldBytes <= 0 {
		o.YieldBytes = o.BufferBytes / 16
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Dropped == nil {
		o.Dropped = func(string, int) {}
	}
	return o, nil
}

func setDefault(d *time.Duration, value time.Duration) {
	if *d == 0 {
		*d = value
	}
}
