package bus

// SlotOf is slotOf.
func SlotOf(name string) uint16 { return slotOf(name) }
