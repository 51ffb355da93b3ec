package bus

import "reverb/scaling/redis"

// routes say what belongs to which slot. They are not changed, but replaced.
type routes[T any] struct {
	only  T   // without a cluster, or before it is known: for everything
	table []T // with a cluster: by slot
}

func (r *routes[T]) of(slot uint16) T {
	if r.table != nil {
		return r.table[slot]
	}
	return r.only
}

// newRoutes makes the routes to what belongs to the masters; the slots that no master has are those of unserved.
func newRoutes[T any](masters []*master, cluster bool, unserved T, of func(*master) T) *routes[T] {
	r := &routes[T]{only: unserved}
	if cluster {
		r.table = make([]T, redis.SlotCount)
		for i := range r.table {
			r.table[i] = unserved
		}
	}
	for _, m := range masters {
		r.only = of(m)
		for _, slots := range m.slots {
			for slot := int(slots[0]); slot <= int(slots[1]) && cluster; slot++ {
				r.table[slot] = of(m)
			}
		}
	}
	return r
}
