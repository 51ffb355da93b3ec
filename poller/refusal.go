package poller

import (
	"log/slog"
	"net/netip"
	"sync/atomic"

	"reverb/internal/logging"
)

// refusal is why a socket did not become a WebSocket: a closed list, so that it can be a metric's label.
type refusal uint8

const (
	refusedMax        refusal = iota // MaxConnections
	refusedAddress                   // MaxPerAddress
	refusedEMFILE                    // no descriptor left
	refusedTimeout                   // no whole head, or no TLS, in time
	refusedHead                      // a head over MaxHead
	refusedHandshake                 // a WebSocket path without a well-formed upgrade
	refusedTLS                       // no TLS handshake
	refusedProxy                     // no well-formed PROXY header where one must be, or one where none may be
	refusedTLSOnPlain                // TLS where none is
	refusedPlainOnTLS                // HTTP where TLS is

	refusalCount = int(refusedPlainOnTLS) + 1
)

var refusalLabels = [refusalCount]string{
	refusedMax:       "max_connections",
	refusedAddress:   "per_address",
	refusedEMFILE:    "emfile",
	refusedTimeout:   "timeout",
	refusedHead:      "head_too_large",
	refusedHandshake: "bad_handshake",
	refusedTLS:       "tls",
	refusedProxy:     "proxy_header",

	refusedTLSOnPlain: "tls_on_plain_port",
	refusedPlainOnTLS: "plain_on_tls_port",
}

// refusals counts by refusal. The zero value is ready, for any goroutine.
type refusals [refusalCount]atomic.Uint64

func (r *refusals) add(why refusal) { r[why].Add(1) }

// refuse counts a socket that is over a limit or speaks another protocol, and logs the first of each minute.
func (p *Poller) refuse(why refusal, client netip.AddrPort) {
	p.refused.add(why)
	switch why {
	case refusedMax:
		p.trouble.Log(slog.LevelWarn, refusalLabels[why], "connection refused: the node is full", logging.From(client),
			slog.Int("max_connections", p.cfg.MaxConnections), slog.String("hint", "raise server.limits.max_connections, or add a node"))
	case refusedAddress:
		p.trouble.Log(slog.LevelWarn, refusalLabels[why], "connection refused: too many of one address", logging.From(client),
			slog.Int("max_connections_per_address", p.cfg.MaxPerAddress),
			slog.String("hint", "if this is a proxy, it belongs into server.trusted_proxies"))
	case refusedTLSOnPlain:
		p.trouble.Log(slog.LevelWarn, refusalLabels[why], "connection refused: TLS to a port without", logging.From(client),
			slog.String("hint", "use http:// and ws:// there (REVERB_SCHEME=http behind a proxy that ends TLS), or set [server.tls]"))
	case refusedPlainOnTLS:
		p.trouble.Log(slog.LevelWarn, refusalLabels[why], "connection refused: plain HTTP to a port with TLS", logging.From(client),
			slog.String("hint", "use https:// and wss:// there (REVERB_SCHEME=https)"))
	}
}
