package server

import "reverb/channels"

// maxAbandoned is how many requests of one connection may be on their way for subscriptions that it does not want any
// more. A client that subscribes and unsubscribes faster than Redis answers is told to wait.
const maxAbandoned = 64

// joinRequests are the subscribes of one session that wait for the relay. A nil one is empty. Guarded by
// subscriptions.mu.
type joinRequests struct {
	waiting    map[string]*joinRequest // by channel; nil when there are none
	fresh      int                     // of these, for channels that the session is not in
	freshBytes int64                   // their cost
	abandoned  int                     // requests that are on their way and not wanted any more
}

// joinRequest is one subscribe that waits for the relay.
type joinRequest struct {
	// Constant after construction.
	options channels.JoinOptions
	fresh   bool // the session was not in the channel

	next *channels.JoinOptions // of another subscribe that came meanwhile; guarded by subscriptions.mu
}

func (r *joinRequest) cost(channel string) int64 {
	return subscriptionCost(channel, rawSize(r.options.Data))
}

// of returns the request for a channel, nil if there is none.
func (j *joinRequests) of(channel string) *joinRequest {
	if j == nil {
		return nil
	}
	return j.waiting[channel]
}

// beside counts the requests for channels that the session is not in, but for this channel, and their cost.
func (j *joinRequests) beside(channel string) (n int, bytes int64) {
	if j == nil {
		return 0, 0
	}
	n, bytes = j.fresh, j.freshBytes
	if r := j.waiting[channel]; r != nil && r.fresh {
		n, bytes = n-1, bytes-r.cost(channel)
	}
	return n, bytes
}

func (j *joinRequests) manyAbandoned() bool { return j != nil && j.abandoned >= maxAbandoned }

// add makes r the request for a channel that has none.
func (j *joinRequests) add(channel string, r *joinRequest) {
	if j.waiting == nil {
		j.waiting = make(map[string]*joinRequest)
	}
	j.waiting[channel] = r
	if r.fresh {
		j.fresh++
		j.freshBytes += r.cost(channel)
	}
}

// end takes out a request that was answered and reports whether the session still wants the subscription.
func (j *joinRequests) end(channel string, r *joinRequest) (wanted bool) {
	if j.waiting[channel] != r {
		j.abandoned--
		return false
	}
	j.remove(channel)
	return true
}

// abandon is for a channel that the session does not want any more: the answer to its request, if there is one, will be
// too late.
func (j *joinRequests) abandon(channel string) {
	if j.of(channel) != nil {
		j.remove(channel)
		j.abandoned++
	}
}

// abandonAll is abandon for every channel.
func (j *joinRequests) abandonAll() {
	if j != nil {
		j.abandoned += len(j.waiting)
		j.waiting, j.fresh, j.freshBytes = nil, 0, 0
	}
}

func (j *joinRequests) remove(channel string) {
	r := j.waiting[channel]
	delete(j.waiting, channel)
	if len(j.waiting) == 0 {
		j.waiting = nil // a map that was large stays so
	}
	if r.fresh {
		j.fresh--
		j.freshBytes -= r.cost(channel)
	}
}

// orNil is nil for requests that are all answered.
func (j *joinRequests) orNil() *joinRequests {
	if j == nil || len(j.waiting) == 0 && j.abandoned == 0 {
		return nil
	}
	return j
}
