package poller

import (
	"net/netip"
	"sync"
)

// admission counts open sockets and says whether there may be one more.
type admission struct {
	max, perAddress int // constant; 0 is no limit

	// Guarded by mu.
	mu        sync.Mutex
	sockets   int
	addresses map[netip.Addr]int // nil until needed
}

// enter admits a socket of addr or says why not.
func (a *admission) enter(addr netip.Addr) (refusal, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.max > 0 && a.sockets >= a.max {
		return refusedMax, false
	}
	if a.perAddress > 0 {
		if a.addresses[addr] >= a.perAddress {
			return refusedAddress, false
		}
		if a.addresses == nil {
			a.addresses = make(map[netip.Addr]int)
		}
		a.addresses[addr]++
	}
	a.sockets++
	return 0, true
}

func (a *admission) leave(addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sockets--
	if a.perAddress > 0 {
		if a.addresses[addr]--; a.addresses[addr] <= 0 {
			delete(a.addresses, addr)
		}
	}
}

func (a *admission) count() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return int64(a.sockets)
}
