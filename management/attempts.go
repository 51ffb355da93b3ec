package management

import (
	"sync"
	"time"
)

// The bounds of guessing. An attempt that comes too early is answered at once; the right password passes when its time
// has come.
const (
	sourceBurst = 5                // attempts of one source at once,
	sourceEvery = 12 * time.Second // then one in this time
	proxyBurst  = 40               // the same for all sources together that a proxy names which is not in server.trusted_proxies: its word
	proxyEvery  = 3 * time.Second / 2
	maxSources  = 4096 // that are remembered; when there are more, the one that has waited longest is forgotten
	maxChecks   = 8    // passwords of strangers that wait to be checked, and the same of known browsers; one is checked at a time
)

// attempts bounds how fast passwords can be guessed. Nobody can use it to keep others out: each source has its own
// measure, and a browser that has logged in before is a source of its own, with its own places in the queue. The zero
// value is ready.
type attempts struct {
	checking sync.Mutex // held while a password is checked, for that takes a core for a good part of a second

	mu sync.Mutex
	// Guarded by mu.
	due              map[source]time.Time // when all attempts of the source are paid for, one each sourceEvery
	strangers, known int                  // that wait
}

// begin counts an attempt before it is checked, so that many at the same time are many; false: come back after the
// time.
func (a *attempts) begin(s source) (wait time.Duration, ok bool) {
	now := time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if *a.waitingLocked(s) >= maxChecks {
		return time.Second, false
	}
	if wait = a.waitLocked(s, now); wait > 0 {
		return wait, false
	}
	a.takeLocked(s, now)
	*a.waitingLocked(s)++
	return 0, true
}

// end is called once after each begin that was ok. A right password forgets the wrong ones.
func (a *attempts) end(s source, right bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*a.waitingLocked(s)--
	if right {
		delete(a.due, s)
	}
}

func (a *attempts) waitingLocked(s source) *int {
	if s.device != "" {
		return &a.known
	}
	return &a.strangers
}

// waitLocked is how long the source, and the proxy that named it, have to wait.
func (a *attempts) waitLocked(s source, now time.Time) time.Duration {
	debt := func(s source) time.Duration { return max(0, a.due[s].Sub(now)) }
	wait := debt(s) - (sourceBurst-1)*sourceEvery
	if proxy, ok := s.proxy(); ok {
		wait = max(wait, debt(proxy)-(proxyBurst-1)*proxyEvery)
	}
	return wait
}

func (a *attempts) takeLocked(s source, now time.Time) {
	a.chargeLocked(s, sourceEvery, now)
	if proxy, ok := s.proxy(); ok {
		a.chargeLocked(proxy, proxyEvery, now)
	}
}

func (a *attempts) chargeLocked(s source, every time.Duration, now time.Time) {
	due, known := a.due[s]
	if !known {
		a.makeRoomLocked()
	}
	if due.Before(now) {
		due = now
	}
	a.due[s] = due.Add(every)
}

func (a *attempts) makeRoomLocked() {
	if a.due == nil {
		a.due = make(map[source]time.Time)
	}
	if len(a.due) < maxSources {
		return
	}
	var oldest source
	var paid time.Time
	for s, due := range a.due {
		if paid.IsZero() || due.Before(paid) {
			oldest, paid = s, due
		}
	}
	delete(a.due, oldest)
}
