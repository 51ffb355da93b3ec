package poller

// Waiting is how many bytes wait for the socket, each frame counted with its place in the queue. It is for people who look at one
// connection: the handler may ask its Conn whether it has this method.
func (c *conn) Waiting() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.outbox == nil {
		return 0
	}
	return c.outbox.bytes
}
