package bus

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"time"
)

var (
	// ErrDown says that Redis cannot be reached, or was lost before it answered: whether it executed the command is not known.
	ErrDown = errors.New("redis is down")
	// ErrFull says that a publication was dropped: the buffer of what waits for Redis is full.
	ErrFull = errors.New("buffer for redis is full")
	// ErrClosed says that the bus has been closed.
	ErrClosed = errors.New("bus is closed")
)

// Reasons why a publication was dropped, as Options.Dropped gets them.
const (
	DroppedFull    = "relay_full"    // the buffer was full: Publish said ErrFull
	DroppedAge     = "relay_age"     // it waited longer than Options.BufferAge
	DroppedRefused = "relay_refused" // Redis answered with an error
)

// Options say where Redis is and how it is used. The zero value of a field is its default.
type Options struct {
	// Addrs are host:port of the one Redis, or of some nodes of the cluster. Not used with Sentinel.
	Addrs              []string
	Username, Password string
	Database           int         // not in a cluster
	TLS                *tls.Config // nil: without TLS. Its ServerName, when empty, is the host that is connected to
	Cluster            bool
	Sentinel           Sentinel

	ConnectTimeout time.Duration // bound of one connection attempt, 5 s
	ReplyTimeout   time.Duration // a connection that answers nothing for this long is lost, 3 s
	Settle         time.Duration // after an outage, how long publications still wait so that the other nodes are back too, 1 s; negative: not
	BufferBytes    int64         // of publications that wait, payloads and names, 32 MiB
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

// Hooks are what the bus calls. Message must not wait, nor may the others for long.
type Hooks struct {
	// Message is called with what was published on a subscribed name, on the goroutine that reads from Redis: in the order of the
	// publishers, from several goroutines in a cluster. payload is the callee's.
	Message func(name string, payload []byte)

	// Up is called when Redis is reached and every wanted subscription is confirmed, also the first time: before anything that
	// waited is sent. Up and Down take turns, and are called by one goroutine.
	Up func()

	// Down is called when Redis, or one master of the cluster, is lost.
	Down func(err error)
}

// State is how a bus stands.
type State struct {
	Up           bool
	Since        time.Time // of the last change of Up, or of Open
	Err          error     // why it is down, nil when up or not tried yet
	Waiting      int       // publications that are not yet confirmed by Redis
	WaitingBytes int64
}
