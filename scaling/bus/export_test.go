package bus

// HoldNames has all work on subscriptions wait until release is called.
func (b *Bus) HoldNames() (release func()) {
	return b.subscriptions.HoldForTest()
}
