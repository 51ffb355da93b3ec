package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"
)

var (
	// ErrDown says that Redis cannot be reached, or was lost before it answered: whether it executed the command is not known.
	ErrDown = errors.New("redis is down")
	// ErrClosed is the end of a link that was not wanted any more.
	ErrClosed = errors.New("bus is closed")

	errSilent    = errors.New("redis does not answer in time")
	errTooOld    = errors.New("redis 6 or later is needed")
	errRedial    = errors.New("a lost connection is not dialled again")
	errNotMaster = errors.New("the server is a replica")
)

// Link is the two connections to one Redis server, for as long as both live: one for commands, one for subscriptions, because a burst of
// messages must not hold up the replies. It ends as a whole, at the first trouble of either; nothing reconnects behind our back, so that
// nothing can be sent to a server on which our subscriptions do not hold. All methods may be called from any goroutine.
type Link struct {
	// Constant after Open.
	addr   string
	dialer Dialer
	client rueidis.Client          // commands: its one multiplexed connection
	subs   rueidis.DedicatedClient // subscriptions
	hello  map[string]rueidis.RedisMessage
	lost   chan struct{} // closed by End

	unready atomic.Int64 // since when it answers that it is not ready, in ns of the epoch; 0: it does not

	mu sync.Mutex
	// Guarded by mu.
	conns []net.Conn
	dials int
	err   error
}

// Open connects to the server, for as long as d.Connect allows and ctx lives. The hooks are called on the reading goroutine.
func Open(ctx context.Context, addr string, d Dialer, hooks rueidis.PubSubHooks) (*Link, error) {
	l := &Link{addr: addr, dialer: d, lost: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { l.End(ErrClosed) })
	defer stop()
	client, err := rueidis.NewClient(d.clientOptions(addr, func() (net.Conn, error) { return l.dial(ctx) }))
	l.client = client
	if err != nil {
		if client != nil { // with ForceSingleClient there is one beside the error
			client.Close()
		}
		return nil, fmt.Errorf("connect to redis: %w", err)
	}
	l.subs, _ = client.Dedicate()
	if err := l.greet(ctx); err != nil {
		l.Close()
		return nil, fmt.Errorf("connect to redis: %w", err)
	}
	l.subs.SetPubSubHooks(hooks)
	return l, nil
}

// greet learns what the server is, and that it serves: a Redis that still loads its data answers HELLO, but not PING.
func (l *Link) greet(ctx context.Context) error {
	replies := l.client.DoMulti(ctx, l.B().Arbitrary("HELLO").Build(), l.B().Ping().Build())
	hello, err := replies[0].AsMap()
	if _, refused := rueidis.IsRedisErr(err); refused {
		return fmt.Errorf("%w: %w", errTooOld, err)
	}
	if err != nil {
		return err
	}
	proto := hello["proto"]
	if n, err := proto.AsInt64(); err != nil || n != 3 {
		return errTooOld
	}
	l.hello = hello
	if err := replies[1].Error(); err != nil {
		return err
	}
	return l.subs.Do(ctx, l.B().Ping().Build()).Error()
}

// Check says whether the server is of the kind that was dialled, and a master.
func (l *Link) Check() error {
	kind, mode := l.dialer.Kind, l.said("mode")
	major, _, _ := strings.Cut(l.said("version"), ".")
	version, _ := strconv.Atoi(major)
	switch {
	case kind == Watched && l.said("role") != "master", kind != Node && isReplica(l.said("role")):
		return errNotMaster
	case kind == Node && version < 7:
		return errors.New("a redis cluster must be of version 7 or later")
	case kind != Node && mode != "" && mode != "standalone":
		return fmt.Errorf("the server is not a single redis but of a %s, which must be configured as one", mode)
	}
	return nil
}

// said is a field of the server's HELLO: role, mode, version.
func (l *Link) said(field string) string {
	value := l.hello[field]
	text, _ := value.ToString()
	return text
}

// B builds commands.
func (l *Link) B() rueidis.Builder { return l.client.B() }

// Do executes commands, in order, after those of before. The results are those that came before a loss of the link, and its error.
func (l *Link) Do(commands ...rueidis.Completed) []rueidis.RedisResult {
	return l.client.DoMulti(context.Background(), commands...)
}

// Subscribe executes commands on the connection of the subscriptions.
func (l *Link) Subscribe(commands ...rueidis.Completed) []rueidis.RedisResult {
	return l.subs.DoMulti(context.Background(), commands...)
}

// Address is what the server called another server, or itself on another port when it left the host out.
func (l *Link) Address(said string) string {
	if port, hostless := strings.CutPrefix(said, ":"); hostless {
		if host, _, err := net.SplitHostPort(l.addr); err == nil {
			return net.JoinHostPort(host, port)
		}
	}
	return said
}

// dial gives the client its two connections, and no third.
func (l *Link) dial(ctx context.Context) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	over := l.dials > 2 || l.err != nil
	l.mu.Unlock()
	if over {
		return nil, errRedial
	}
	raw, err := l.dialer.dial(ctx, l.addr)
	if err != nil {
		l.End(err)
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		_ = raw.Close()
		return nil, l.err
	}
	l.conns = append(l.conns, below(raw))
	return &conn{Conn: raw, link: l}, nil
}

// below is the TCP connection under TLS: closing that one does not wait for a farewell to a server that is gone.
func below(c net.Conn) net.Conn {
	if secured, ok := c.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return c
}

// End closes both connections. The first call's error is the reason.
func (l *Link) End(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	l.err = err
	close(l.lost)
	for _, c := range l.conns {
		_ = c.Close()
	}
}

// Lost is closed when the link has ended.
func (l *Link) Lost() <-chan struct{} { return l.lost }

// Err is why the link ended, nil while it lives.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Close ends the link and waits for the client's goroutines.
func (l *Link) Close() {
	l.End(ErrClosed)
	l.subs.Close()
	l.client.Close()
}

// conn tells the link how its connection ended.
type conn struct {
	net.Conn
	link *Link
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.link.End(err)
	}
	return n, err
}

// Close is called by the client when a PING was not answered, or when something else went wrong.
func (c *conn) Close() error {
	c.link.End(errSilent)
	return c.Conn.Close()
}
