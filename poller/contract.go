package poller

// STUB of the exported contract; the owner of this package replaces this file with the files of the house.

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// Config. Zero values mean the default named here.
type Config struct {
	Loops            int                    // event loops; default min(cores, 8)… measured
	Upgrade          func(path []byte) bool // is a request for this raw path (no query) a WebSocket endpoint?
	ServedBy         string                 // X-Powered-By of the 101 answer
	MaxHead          int                    // bytes of a request head; 16 KiB
	HandshakeTimeout time.Duration          // head complete within; 10 s
	TLSTimeout       time.Duration          // 10 s
	CloseTimeout     time.Duration          // after our close frame, until TCP is cut; 5 s
	OutboxBytes      int64                  // that wait for one connection; 1 MiB
	TotalOutboxBytes int64                  // for all; 256 MiB
	MaxConnections   int                    // open sockets, plain and TLS, HTTP included; 0 = file limit decides
	MaxPerAddress    int                    // per client address; 0 = no limit
	Log              *slog.Logger
}

// Request is the head of an accepted upgrade. Valid until Open returns.
type Request struct {
	Path, Query, Host, Origin string
	RemoteAddr                netip.AddrPort
	TLS                       bool
}

// Handler is told of each new WebSocket, after the 101 answer is on its way. It may Send and Close at once.
type Handler interface {
	Open(c Conn, r *Request) Receiver
}

// Receiver: Open, (Message|Control)*, Closed; never two at once for one connection; Closed exactly once and last.
type Receiver interface {
	Message(payload []byte, binary bool) // payload valid until Message returns; may be modified
	Control(op ControlOp)                // ping, pong, close from the client (already answered)
	Closed(reason Reason)
}

// Conn is one WebSocket. All methods may be called from any goroutine and never wait.
type Conn interface {
	Send(frame []byte)                // one or more whole frames; not copied, must never change; dropped after Close
	Close(code uint16, reason string) // flush what waits, close frame, then cut; code 0 = TCP close after flush, no close frame
	Kill(reason Reason)               // cut at once
	SetMaxMessage(n int64)            // bytes; 0 = no limit but the hard ceiling (16 MiB)
	RemoteAddr() netip.AddrPort
}

type Stats struct {
	Connections       int64 // WebSockets open
	Sockets           int64 // all open descriptors accepted, HTTP and handshakes included
	BytesIn, BytesOut uint64
	FramesIn          uint64
	OutboxBytes       int64
	Refused           map[string]uint64 // by reason: max_connections, per_address, emfile, bad_handshake, timeout …
	Closed            map[string]uint64 // by Reason
}

type Poller struct{}

func New(cfg Config, h Handler) (*Poller, error)                  { panic("stub") }
func (p *Poller) Serve(ln *net.TCPListener, tc *tls.Config) error { panic("stub") } // returns at once; tc nil = plain. Several listeners may be served.
func (p *Poller) HTTPListener() net.Listener                      { panic("stub") } // everything that is not an upgrade; hand it to http.Server
func (p *Poller) CloseListeners()                                 { panic("stub") } // no new connections; HTTPListener stays until Shutdown
func (p *Poller) Shutdown(ctx context.Context) error              { panic("stub") } // flush and cut what is left, await every goroutine
func (p *Poller) Stats() Stats                                    { panic("stub") }
