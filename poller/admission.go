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

// enter admits a socket of addr or says why not. An addr that is not valid is not counted.
func (a *admission) enter(addr netip.Addr) (refusal, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.max > 0 && a.sockets >= a.max {
		return refusedMax, false
	}
	if !a.claimLocked(addr) {
		return refusedAddress, false
	}
	a.sockets++
	return 0, true
}

// claim counts a socket that was admitted without an address for addr, or reports that addr has too many.
func (a *admission) claim(addr netip.Addr) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.claimLocked(addr)
}

func (a *admission) claimLocked(addr netip.Addr) bool {
	if a.perAddress <= 0 || !addr.IsValid() {
		return true
	}
	addr = household(addr)
	if a.addresses[addr] >= a.perAddress {
		return false
	}
	if a.addresses == nil {
		a.addresses = make(map[netip.Addr]int)
	}
	a.addresses[addr]++
	return true
}

// household is what counts as one client: of IPv6 the network, because everybody has 2^64 addresses in his.
func household(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, _ := addr.Prefix(64) // fails only for more bits than an address has
	return network.Addr()
}

func (a *admission) leave(addr netip.Addr) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sockets--
	if a.perAddress > 0 && addr.IsValid() {
		addr = household(addr)
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
