package poller

import "sync/atomic"

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
