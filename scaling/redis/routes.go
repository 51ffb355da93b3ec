package redis

// Routes say what belongs to which slot. They are not changed, but replaced.
type Routes[T any] struct {
	only  T   // without a cluster: for everything
	table []T // with a cluster: by slot
}

// NewRoutes makes the routes to what belongs to the masters, by their addresses. Slots that no master has are those of unserved.
func NewRoutes[T any](masters []Master, cluster bool, unserved T, of func(addr string) T) *Routes[T] {
	r := &Routes[T]{only: unserved}
	if cluster {
		r.table = make([]T, SlotCount)
		for i := range r.table {
			r.table[i] = unserved
		}
	}
	for _, m := range masters {
		owner := of(m.Addr)
		r.only = owner
		for _, slots := range m.Slots {
			for slot := int(slots[0]); slot <= int(slots[1]) && cluster; slot++ {
				r.table[slot] = owner
			}
		}
	}
	return r
}

// Of is what belongs to the slot.
func (r *Routes[T]) Of(slot uint16) T {
	if r.table != nil {
		return r.table[slot]
	}
	return r.only
}
