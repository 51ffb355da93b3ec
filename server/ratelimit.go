package server

import (
	"time"

	"reverb/config"
	"reverb/protocol"
)

// closePolicy is the WebSocket close code of a client that broke the rate limit (RFC 6455 section 7.4.1). pusher-js comes back a
// second later, as it does after the plain TCP close of Reverb; 4301 would keep it away for ever.
const closePolicy = 1008

// rateWindow counts the messages of one connection in a fixed window that begins with its first message (Reverb: Laravel's
// RateLimiter). A session has one since the first message that was limited.
type rateWindow struct {
	end   time.Duration // on the server's clock; 0 = none was begun
	count int           // messages let through
}

// allow reports whether a message at now is within the limit. A refused message does not prolong the window.
func (w *rateWindow) allow(now time.Duration, limit *config.RateLimit) bool {
	if w.end == 0 || now >= w.end {
		w.end, w.count = now+limit.Decay, 0
	}
	if w.count >= limit.MaxAttempts {
		return false
	}
	w.count++
	return true
}

// rate is the window of the session. It belongs to the message that is being handled.
func (ss *Session) rate() *rateWindow {
	m := ss.more.Load()
	if m == nil {
		m = new(more)
		ss.more.Store(m)
	}
	if m.rate == nil {
		m.rate = new(rateWindow)
	}
	return m.rate
}

// overRate answers a message beyond the limit.
func (ss *Session) overRate(conf *config.App) {
	ss.fail(protocol.ErrRateLimit)
	if conf.RateLimit.TerminateOnLimit {
		ss.end(endRateLimited, nil, closePolicy, protocol.ErrRateLimit.Message)
	}
}
