package bus

// HoldNames has all work on subscriptions wait until release is called.
func (b *Bus) HoldNames() (release func()) {
	shards := &b.subscriptions.shards
	for i := range shards {
		shards[i].mu.Lock()
	}
	return func() {
		for i := range shards {
			shards[i].mu.Unlock()
		}
	}
}
