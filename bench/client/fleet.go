package client

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"time"
)

// Defaults of Options, and bounds that no option moves.
const (
	defaultConnecting     = 1024
	defaultConnectTimeout = 30 * time.Second
	defaultTurn           = 256
	closeTimeout          = 5 * time.Second // from our close frame to the server's end of the connection
	maxMessage            = 16 << 20        // bytes of one message: the roster of a presence channel with 100,000 members
	maxQueue              = 1 << 20         // bytes that wait for a server that does not read
)

// Options of a Fleet. The zero value of every field but Target is a default.
type Options struct {
	Target  Target
	Loops   int          // event loops; default 1: one core drives 15,000 connections
	Sources []netip.Addr // local addresses to connect from in turn; default 127.0.0.1…127.0.0.8 for a loopback target, else the system's

	Turn int // events that a loop handles before other goroutines have a processor; default 256, less for a fleet that shall not delay others

	Connecting     int           // clients between connect and connection_established at a time, the rest waits; default 1024
	ConnectTimeout time.Duration // from connect to connection_established; default 30 s
	NoPings        bool          // do not send pusher:ping when the server was silent for its activity_timeout, as pusher-js does
}

// Handler hears of one client. All calls for one client come on its loop's goroutine; they must not wait. now is the time of the
// read, on the clock of Now.
type Handler interface {
	Connected(c *Client, now int64)                  // connection_established was read
	Subscribed(c *Client, channel []byte, now int64) // subscription_succeeded
	Event(c *Client, e Event, now int64)             // anything else but pings, which are answered by the fleet
	Closed(c *Client, err error)                     // once, last: io.EOF, *CloseError, ErrClosed, what went wrong in connecting
}

// Event is one message of the server. All three are views into the frame, valid until the call returns.
type Event struct{ Name, Channel, Data []byte } // Name and Channel as between the quotes; Data is the raw JSON value

// Fleet is many clients of one target. Its methods may be called by any goroutine; Close not from a Handler.
type Fleet struct {
	// Constant after construction.
	o       Options
	addr    netip.AddrPort
	request []byte // the upgrade, the same for all
	accept  []byte // Sec-WebSocket-Accept that answers it
	signer  *signer
	driver  driver

	// Atomic.
	count  counters
	source atomic.Uint64 // the next of o.Sources
}

// driver moves the bytes of a fleet: event loops, or goroutines.
type driver interface {
	dial(h Handler) *Client
	close()
}

// counters are the atomics behind Stats.
type counters struct {
	open, connecting                          atomic.Int64
	frames, bytesIn, bytesOut, wakeups, busyN atomic.Int64
}

// Stats of a fleet since it was made.
type Stats struct {
	Open       int64 // clients that are connected
	Connecting int64 // clients that were dialled and are not connected yet, with those that wait for their turn
	Frames     int64 // messages received, with pings
	BytesIn    int64 // read from the sockets, with handshakes
	BytesOut   int64 // written to the sockets
	Wakeups    int64 // returns of epoll_wait; over TLS reads
	BusyNs     int64 // time the loops were not waiting, all loops together
}

// NewFleet looks the target up and starts the loops.
func NewFleet(o Options) (*Fleet, error) {
	addr, err := o.Target.resolve()
	if err != nil {
		return nil, err
	}
	o.Loops = max(o.Loops, 1)
	if o.Connecting <= 0 {
		o.Connecting = defaultConnecting
	}
	if o.Turn <= 0 {
		o.Turn = defaultTurn
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = defaultConnectTimeout
	}
	if len(o.Sources) == 0 {
		o.Sources = defaultSources(addr.Addr())
	}
	for _, a := range o.Sources {
		if a.Is4() != addr.Addr().Is4() {
			return nil, fmt.Errorf("source %v and target %v are of different families", a, addr)
		}
	}
	f := &Fleet{o: o, addr: addr, signer: newSigner(o.Target)}
	f.request, f.accept = upgradeRequest(o.Target)
	if f.driver, err = newDriver(f); err != nil {
		return nil, err
	}
	return f, nil
}

// Dial makes a client and returns at once: it connects, upgrades, and is Connected or Closed. After Close, Closed is called
// before Dial returns: a handler that dials again when it is closed must have been told to stop by then.
func (f *Fleet) Dial(h Handler) *Client { return f.driver.dial(h) }

// Stats is what the fleet did so far.
func (f *Fleet) Stats() Stats {
	c := &f.count
	return Stats{
		Open: c.open.Load(), Connecting: c.connecting.Load(),
		Frames: c.frames.Load(), BytesIn: c.bytesIn.Load(), BytesOut: c.bytesOut.Load(),
		Wakeups: c.wakeups.Load(), BusyNs: c.busyN.Load(),
	}
}

// Close ends all clients with ErrClosed and returns when the last Handler call has returned.
func (f *Fleet) Close() { f.driver.close() }

// nextSource is the local address of the next connection; the zero Addr leaves the choice to the system.
func (f *Fleet) nextSource() netip.Addr {
	if len(f.o.Sources) == 0 {
		return netip.Addr{}
	}
	return f.o.Sources[f.source.Add(1)%uint64(len(f.o.Sources))]
}
