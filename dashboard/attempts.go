package dashboard

import (
	"net/netip"
	"sync"
	"time"
)

const (
	maxAttempts    = 5           // wrong passwords of one address in
	attemptsWindow = time.Minute // this time
	maxAddresses   = 4096        // that are remembered; when there are more, all others wait
	maxChecks      = 8           // passwords that wait to be checked; one is at a time, for it takes a core for a good part of a second
)

// attempts bounds how fast passwords can be guessed. The zero value is ready.
type attempts struct {
	checking sync.Mutex // held while a password is checked

	mu sync.Mutex
	// Guarded by mu.
	by      map[netip.Prefix]*attempt
	waiting int
}

type attempt struct {
	count int
	ends  time.Time
}

// begin counts an attempt before it is checked, so that many at the same time are many; false: come back after the time.
func (a *attempts) begin(from netip.Addr) (wait time.Duration, ok bool) {
	key, now := network(from), time.Now()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.waiting >= maxChecks {
		return time.Second, false
	}
	t := a.by[key]
	if t == nil || !now.Before(t.ends) {
		if !a.roomLocked(now) {
			return attemptsWindow, false
		}
		t = &attempt{ends: now.Add(attemptsWindow)}
		a.by[key] = t
	}
	if t.count >= maxAttempts {
		return t.ends.Sub(now), false
	}
	t.count++
	a.waiting++
	return 0, true
}

// end is called once after each begin that was ok. A right password forgets the wrong ones.
func (a *attempts) end(from netip.Addr, right bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting--
	if right {
		delete(a.by, network(from))
	}
}

func (a *attempts) roomLocked(now time.Time) bool {
	if a.by == nil {
		a.by = make(map[netip.Prefix]*attempt)
	}
	if len(a.by) < maxAddresses {
		return true
	}
	for key, t := range a.by {
		if !now.Before(t.ends) {
			delete(a.by, key)
		}
	}
	return len(a.by) < maxAddresses
}

// network is what one person has: an IPv4 address, or a /64 of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // the zero prefix for the zero address
	return p
}
