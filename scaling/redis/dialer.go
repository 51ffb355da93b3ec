package redis

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// Kind is what a server is to be.
type Kind int

// The kinds of servers.
const (
	Single  Kind = iota // the one Redis
	Watched             // a master behind Sentinel
	Node                // of a Redis Cluster
)

// Dialer says how servers of one kind are reached.
type Dialer struct {
	Kind               Kind
	Username, Password string
	Database           int
	TLS                *tls.Config   // nil: without TLS
	Connect            time.Duration // bound of one connection attempt
	Reply              time.Duration // a connection that answers nothing for this long is lost
}

// pingGap is after how much silence a connection is asked for a sign of life: with the default ReplyTimeout of 3 s a dead one is noticed
// in at most two gaps and the timeout, 4 s.
const pingGap = 500 * time.Millisecond

// clientOptions are those of rueidis:
//   - ForceSingleClient: which server is whose is our business.
//   - DisableRetry: a command that was lost may have been executed; its sender decides.
//   - AlwaysPipelining: replies are read while the batch is still being written, and those that came before a loss count.
//   - PipelineMultiplex, BlockingPipeline: one connection for all commands, however large the batch, because of the order.
//   - DisableCache: no CLIENT TRACKING, which an ACL user would need a permission for.
//   - Dialer.KeepAlive, ConnWriteTimeout: the client's own PING after silence, and how long its answer may take.
func (d Dialer) clientOptions(addr string, dial func() (net.Conn, error)) rueidis.ClientOption {
	return rueidis.ClientOption{
		InitAddress:         []string{addr},
		Username:            d.Username,
		Password:            d.Password,
		SelectDB:            d.Database,
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
		ConnWriteTimeout:    d.Reply,
		Dialer:              net.Dialer{Timeout: d.Connect, KeepAlive: pingGap},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			return dial() // the client's context is the background; ours ends with the bus
		},
	}
}

func (d Dialer) dial(ctx context.Context, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.Connect)
	defer cancel()
	if d.TLS != nil {
		return (&tls.Dialer{NetDialer: &net.Dialer{}, Config: d.TLS}).DialContext(ctx, "tcp", addr)
	}
	return (&net.Dialer{}).DialContext(ctx, NetworkOf(addr), addr)
}

// NetworkOf is that of an address: host:port, or the path of a Unix socket.
func NetworkOf(addr string) string {
	if strings.HasPrefix(addr, "/") {
		return "unix"
	}
	return "tcp"
}
