package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// pingGap is after how much silence a connection is asked for a sign of life: with the default ReplyTimeout of 3 s a dead one is noticed
// in at most two gaps and the timeout, 4 s.
const pingGap = 500 * time.Millisecond

var (
	errSilent = errors.New("redis does not answer in time")
	errTooOld = errors.New("redis 6 or later is needed")
	errRedial = errors.New("a lost connection is not dialled again")
)

// link is the two connections to one Redis server, for as long as both live: one for commands, one for subscriptions, because a burst of
// messages must not hold up the replies. It ends as a whole, at the first trouble of either; nothing reconnects behind our back, so that
// nothing can be sent to a server on which our subscriptions do not hold.
type link struct {
	// Constant after open.
	addr   string
	client rueidis.Client          // commands: its one multiplexed connection
	subs   rueidis.DedicatedClient // subscriptions
	hello  map[string]rueidis.RedisMessage
	lost   chan struct{} // closed by end

	unready atomic.Int64 // since when it answers that it is not ready, in ns of the epoch; 0: it does not

	// Owned by the lane.
	known map[*Script]bool // scripts that this server has

	mu sync.Mutex
	// Guarded by mu.
	conns []net.Conn
	dials int
	err   error
}

// dialer says how servers of one kind are reached.
type dialer struct {
	username, password string
	database           int
	tls                *tls.Config
	connect, reply     time.Duration
}

// clientOptions are those of rueidis:
//   - ForceSingleClient: which server is whose is our business.
//   - DisableRetry: a command that was lost may have been executed; who sent it decides.
//   - AlwaysPipelining: replies are read while the batch is still being written, and those that came before a loss count.
//   - PipelineMultiplex, BlockingPipeline: one connection for all commands, however large the batch, because of the order.
//   - DisableCache: no CLIENT TRACKING, which an ACL user would need a permission for.
//   - Dialer.KeepAlive, ConnWriteTimeout: the client's own PING after silence, and how long its answer may take.
func (d dialer) clientOptions(addr string, dial func(context.Context) (net.Conn, error)) rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress:         []string{addr},
		Username:            d.username,
		Password:            d.password,
		SelectDB:            d.database,
		ClientName:          "reverb",
		ForceSingleClient:   true,
		DisableRetry:        true,
		AlwaysPipelining:    true,
		PipelineMultiplex:   -1,
		BlockingPipeline:    -1,
		DisableCache:        true,
		RingScaleEachConn:   8,
		ReadBufferEachConn:  128 << 10,
		WriteBufferEachConn: 64 << 10,
		ConnWriteTimeout:    d.reply,
		Dialer:              net.Dialer{Timeout: d.connect, KeepAlive: pingGap},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			// The client's context is the background: ours ends with the bus.
			return dial(context.Background())
		},
	}
}

func (d dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.connect)
	defer cancel()
	if d.tls != nil {
		return (&tls.Dialer{NetDialer: &net.Dialer{}, Config: d.tls}).DialContext(ctx, "tcp", addr)
	}
	return (&net.Dialer{}).DialContext(ctx, networkOf(addr), addr)
}

// openLink connects to the server, for as long as d.connect allows and ctx lives. The hooks are called on the reading goroutine.
func openLink(ctx context.Context, addr string, d dialer, hooks rueidis.PubSubHooks) (*link, error) {
	l := &link{addr: addr, lost: make(chan struct{}), known: make(map[*Script]bool)}
	stop := context.AfterFunc(ctx, func() { l.end(ErrClosed) })
	defer stop()
	client, err := rueidis.NewClient(d.clientOptions(addr, func(context.Context) (net.Conn, error) { return l.dial(ctx, d) }))
	l.client = client
	if err != nil {
		if client != nil { // with ForceSingleClient there is one beside the error
			client.Close()
		}
		return nil, fmt.Errorf("connect to redis: %w", err)
	}
	l.subs, _ = client.Dedicate()
	if err := l.greet(ctx); err != nil {
		l.close()
		return nil, fmt.Errorf("connect to redis: %w", err)
	}
	l.subs.SetPubSubHooks(hooks)
	return l, nil
}

// greet learns who the server is, and that it serves: a Redis that still loads its data answers HELLO, but not PING.
func (l *link) greet(ctx context.Context) error {
	replies := l.client.DoMulti(ctx, l.client.B().Arbitrary("HELLO").Build(), l.client.B().Ping().Build())
	hello, err := replies[0].AsMap()
	if _, refused := rueidis.IsRedisErr(err); refused {
		return fmt.Errorf("%w: %w", errTooOld, err)
	}
	if err != nil {
		return err
	}
	if proto := hello["proto"]; !isInt(proto, 3) {
		return errTooOld
	}
	l.hello = hello
	if err := replies[1].Error(); err != nil {
		return err
	}
	return l.subs.Do(ctx, l.subs.B().Ping().Build()).Error()
}

func isInt(m rueidis.RedisMessage, want int64) bool {
	n, err := m.AsInt64()
	return err == nil && n == want
}

// address is what the server called another server, or itself on another port when it left the host out.
func (l *link) address(said string) string {
	if port, hostless := strings.CutPrefix(said, ":"); hostless {
		if host, _, err := net.SplitHostPort(l.addr); err == nil {
			return net.JoinHostPort(host, port)
		}
	}
	return said
}

// said is a field of the server's HELLO: role, mode, version.
func (l *link) said(field string) string {
	value := l.hello[field]
	text, _ := value.ToString()
	return text
}

// dial gives the client its two connections, and no third.
func (l *link) dial(ctx context.Context, d dialer) (net.Conn, error) {
	l.mu.Lock()
	l.dials++
	over := l.dials > 2 || l.err != nil
	l.mu.Unlock()
	if over {
		return nil, errRedial
	}
	raw, err := d.dial(ctx, l.addr)
	if err != nil {
		l.end(err)
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

// end closes both connections. The first call's error is the reason.
func (l *link) end(err error) {
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

// reason is why the link ended, nil while it lives.
func (l *link) reason() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// close ends the link and waits for the client's goroutines.
func (l *link) close() {
	l.end(ErrClosed)
	l.subs.Close()
	l.client.Close()
}

// conn tells the link how its connection ended.
type conn struct {
	net.Conn
	link *link
}

func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		c.link.end(err)
	}
	return n, err
}

// Close is called by the client when a PING was not answered, or when something else went wrong.
func (c *conn) Close() error {
	c.link.end(errSilent)
	return c.Conn.Close()
}

// networkOf is that of an address: host:port, or the path of a Unix socket.
func networkOf(addr string) string {
	if strings.HasPrefix(addr, "/") {
		return "unix"
	}
	return "tcp"
}
