package server

import (
	"time"

	"reverb/config"
	"reverb/outbound"
	"reverb/protocol"
)

// closePolicy is the WebSocket close code of a client that broke the rate limit (RFC 6455 section 7.4.1). pusher-js
// comes back a second later, as it does after the plain TCP close of Reverb; 4301 would keep it away for ever.
const closePolicy = 1008

// rateWindow counts the messages of one connection in a fixed window that begins with its first message (Reverb:
// Laravel's RateLimiter).
type rateWindow struct {
	end   time.Duration // on the server's clock; 0 = none was begun
	count int           // messages let through
}

// allow reports whether a message at now is one of the most that a window of this length lets through. A refused
// message does not prolong the window.
func (w *rateWindow) allow(now time.Duration, most int, decay time.Duration) bool {
	if w.end == 0 || now >= w.end {
		w.end, w.count = now+decay, 0
	}
	if w.count >= most {
		return false
	}
	w.count++
	return true
}

// rates are the windows of one session: of all messages, and of client events. They belong to the message that is being
// handled.
type rates struct {
	windows *rateWindows // nil until the app limits
}

type rateWindows struct{ messages, clientEvents rateWindow }

func (r *rates) opened() *rateWindows {
	if r.windows == nil {
		r.windows = new(rateWindows)
	}
	return r.windows
}

// allowMessage reports whether the app's general limit lets a message through.
func (r *rates) allowMessage(now time.Duration, limit *config.RateLimit) bool {
	return !limit.Enabled || r.opened().messages.allow(now, limit.MaxAttempts, limit.Decay)
}

// allowClientEvent reports whether one more client event is within the app's rule.
func (r *rates) allowClientEvent(now time.Duration, rules *config.Rules) bool {
	return rules.MaxClientEvents == 0 || r.opened().clientEvents.allow(now, rules.MaxClientEvents, time.Second)
}

// overRate answers a message beyond the limit.
func (ss *Session) overRate(conf *config.App) {
	ss.fail(protocol.ErrRateLimit)
	if conf.RateLimit.TerminateOnLimit {
		ss.end(endRateLimited, outbound.Message{}, closePolicy, protocol.ErrRateLimit.Message)
	}
}
