package subscribe

// HoldForTest has all work on subscriptions wait until release is called.
func (n *Subscriptions) HoldForTest() (release func()) {
	for i := range n.shards {
		n.shards[i].mu.Lock()
	}
	return func() {
		for i := range n.shards {
			n.shards[i].mu.Unlock()
		}
	}
}
