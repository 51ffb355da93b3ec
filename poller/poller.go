package poller

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"reverb/internal/logging"
	"reverb/transport"
)

// troubleEvery is how often at most the same trouble with sockets is logged.
const troubleEvery = time.Minute

// defaultOutbox is how many bytes may wait for one connection when Config does not say.
const defaultOutbox = 16 << 20

// Config says how a Poller works. Zero values mean the default named here.
type Config struct {
	Loops    int                    // event loops; the number of cores, at most 8
	Upgrade  func(path []byte) bool // is a request for this raw path, without query, for a WebSocket? nil is never
	ServedBy string                 // X-Powered-By of the 101 answer; none

	// Direct may answer a POST over plain TCP, given its raw target, its whole body and whom it is from, with a whole HTTP/1.1 answer that keeps
	// the connection; nil leaves the request to HTTPListener. It runs on the loop and must not wait, nor keep its arguments.
	Direct func(target, body []byte, client netip.AddrPort) []byte

	MaxHead          int           // bytes of a request head; 16 KiB
	HandshakeTimeout time.Duration // until the head is complete; 10 s
	TLSTimeout       time.Duration // until the TLS handshake is; 10 s
	IdleTimeout      time.Duration // between two requests that Direct answers; 60 s
	CloseTimeout     time.Duration // from our close frame until TCP is cut; 5 s
	OutboxBytes      int64         // that may wait for one connection; 16 MiB
	OutboxTimeout    time.Duration // that a byte may wait; 10 s
	TotalOutboxBytes int64         // that may wait for all together, shared frames counted once; 256 MiB
	MaxConnections   int           // open sockets, plain and TLS, HTTP included; the file limit decides
	MaxPerAddress    int           // open sockets of one client address; no limit
	Log              *slog.Logger  // nowhere

	// Proxies are the addresses whose X-Forwarded-For is believed, none. With ProxyProtocol they must begin each connection
	// with a PROXY header; whom that names may be one more of them.
	Proxies       []netip.Prefix
	ProxyProtocol bool
}

// Poller owns sockets, from accept to close. Make one with New; all methods may be called from any goroutine.
type Poller struct {
	// Constant after New.
	cfg      Config
	handler  transport.Handler // told of each new WebSocket, whose 101 answer goes out before whatever Open sends
	upgrader ws.Upgrader
	proxies  proxies
	start    time.Time
	loops    []*loop
	tables   []*table // those of the loops and of the streams
	http     *httpListener
	stop     chan struct{} // closed when the sweep shall end

	trouble   *logging.Throttle
	streams   table
	admission admission
	refused   refusals
	conns     sync.WaitGroup // connections of ours, not net/http's
	work      sync.WaitGroup // goroutines of ours

	// Atomic.
	outboxBytes atomic.Int64 // Config.OutboxBytes as it is now
	open        atomic.Int64
	panics      atomic.Uint64
	closed      [transport.Reasons]atomic.Uint64

	holdings holdings
	shortage sync.Mutex // held while connections are cut to make room; only ever tried

	// Guarded by mu.
	mu        sync.Mutex
	listeners []*listener
	draining  bool // no new listeners
	down      bool // Shutdown was called
}

// New returns a Poller that serves nothing yet. Two calls of New must not run at the same time: netpoll's
// pollers, which all Pollers share, are set up in it. They, and only they, run until the process ends.
func New(cfg Config, h transport.Handler) (*Poller, error) {
	if h == nil {
		return nil, errors.New("poller without handler")
	}
	if strings.ContainsAny(cfg.ServedBy, "\r\n\x00") {
		return nil, fmt.Errorf("line break in X-Powered-By %q", cfg.ServedBy)
	}
	p := &Poller{cfg: withDefaults(cfg), handler: h, start: time.Now(), stop: make(chan struct{})}
	p.SetOutboxBytes(cfg.OutboxBytes)
	p.trouble = logging.NewThrottle(p.cfg.Log, troubleEvery)
	p.upgrader = newUpgrader(cfg.ServedBy)
	p.admission.max, p.admission.perAddress = cfg.MaxConnections, cfg.MaxPerAddress
	p.proxies = proxies{trusted: cfg.Proxies, protocol: cfg.ProxyProtocol}
	p.http = newHTTPListener(p)
	p.holdings.init()
	p.streams.poller = p
	p.tables = append(p.tables, &p.streams)
	polls, err := takePolls(p.cfg.Loops)
	if err != nil {
		return nil, fmt.Errorf("reach netpoll's pollers: %w", err)
	}
	for _, poll := range polls {
		if err := park(poll); err != nil {
			p.cfg.Log.Warn("event loops wait in the kernel and hold their processor meanwhile", "err", err)
		}
		l := &loop{poll: poll, turn: NewTurn()}
		l.table.poller, l.table.loop = p, l
		p.loops = append(p.loops, l)
		p.tables = append(p.tables, &l.table)
	}
	p.work.Go(p.sweep)
	return p, nil
}

// SetOutboxBytes changes Config.OutboxBytes, for all connections from their next frame on. Any goroutine.
func (p *Poller) SetOutboxBytes(n int64) {
	setDefault(&n, defaultOutbox)
	p.outboxBytes.Store(n)
}

// Serve accepts from ln until CloseListeners, and returns at once. It takes ln over and closes it. tc is nil for
// plain TCP. Several listeners may be served.
func (p *Poller) Serve(ln *net.TCPListener, tc *tls.Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.draining {
		return net.ErrClosed
	}
	l, err := newListener(p, ln, tc)
	if err != nil {
		return err
	}
	p.listeners = append(p.listeners, l)
	return nil
}

// HTTPListener yields every connection whose first request is not a well-formed upgrade. Hand it to an http.Server,
// which then owns these connections; it is closed by Shutdown.
func (p *Poller) HTTPListener() net.Listener { return p.http }

// CloseListeners ends accepting. Connections, and HTTPListener, stay.
func (p *Poller) CloseListeners() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draining = true
	for _, l := range p.listeners {
		l.close()
	}
}

// Shutdown sends every client what waits for it and a close frame, and waits until all have left and every
// goroutine has ended. When ctx is done the rest is cut, and its error returned.
func (p *Poller) Shutdown(ctx context.Context) error {
	p.CloseListeners()
	_ = p.http.Close()
	for _, c := range p.all() {
		c.shutdown()
	}
	gone := make(chan struct{})
	go func() {
		p.conns.Wait()
		p.endSweep()
		p.work.Wait()
		close(gone)
	}()
	select {
	case <-gone:
		return nil
	case <-ctx.Done():
	}
	for _, c := range p.all() {
		c.giveUp()
	}
	select {
	case <-gone:
		return ctx.Err()
	case <-time.After(p.cfg.CloseTimeout):
		return fmt.Errorf("%d connections still in their handler: %w", p.open.Load(), ctx.Err())
	}
}

// shutdown closes c as a server that leaves does (RFC 6455 7.4.1, 1001). An HTTP connection between two requests is closed as
// net/http does, without a word.
func (c *conn) shutdown() {
	c.mu.Lock()
	handshake, kept := c.state.Load() == stateHandshake, c.kept
	c.mu.Unlock()
	switch {
	case handshake && kept:
		c.close(nil, transport.ReasonShutdown)
	case handshake:
		c.Kill(transport.ReasonShutdown)
	default:
		c.close(closeFrame(uint16(ws.StatusGoingAway), ""), transport.ReasonShutdown)
	}
}

// giveUp cuts c when there is no time left. To a client that has its close frame nothing is reset: it would not know that it was closed well.
func (c *conn) giveUp() {
	c.mu.Lock()
	c.cutLocked(transport.ReasonShutdown, c.outbox != nil || c.state.Load() != stateClosing)
	c.mu.Unlock()
}

func (p *Poller) endSweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		p.down = true
		close(p.stop)
	}
}

func (p *Poller) all() []*conn {
	var all []*conn
	for _, t := range p.tables {
		all = append(all, t.all()...)
	}
	return all
}

// addr returns the address of the first listener, or an empty one.
func (p *Poller) addr() net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.listeners) == 0 {
		return &net.TCPAddr{}
	}
	return p.listeners[0].addr
}

func withDefaults(cfg Config) Config {
	setDefault(&cfg.Loops, min(runtime.GOMAXPROCS(0), 8))
	setDefault(&cfg.MaxHead, 16<<10)
	setDefault(&cfg.HandshakeTimeout, 10*time.Second)
	setDefault(&cfg.TLSTimeout, 10*time.Second)
	setDefault(&cfg.IdleTimeout, 60*time.Second)
	setDefault(&cfg.CloseTimeout, 5*time.Second)
	setDefault(&cfg.OutboxTimeout, 10*time.Second)
	setDefault(&cfg.TotalOutboxBytes, 256<<20)
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return cfg
}

func setDefault[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}
