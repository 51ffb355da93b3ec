package redis

import "github.com/redis/rueidis"

// SlotCount is how many hash slots a Redis Cluster has.
const SlotCount = 16384

// SlotOf is the hash slot of a name or key: of its part between the first { and the next }, when there is one.
func SlotOf(name string) uint16 {
	c := rueidis.Completed{}.SetSlot(name)
	return c.Slot()
}
