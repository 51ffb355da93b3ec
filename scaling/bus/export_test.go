package bus

// SlotOf is slotOf.
func SlotOf(name string) uint16 { return slotOf(name) }

// HoldNames has all work on subscriptions wait until release is called.
func (b *Bus) HoldNames() (release func()) {
	for i := range b.names.parts {
		b.names.parts[i].mu.Lock()
	}
	return func() {
		for i := range b.names.parts {
			b.names.parts[i].mu.Unlock()
		}
	}
}

// CodeOf is codeOf.
func CodeOf(text string) string { return codeOf(text) }
