package poller

import "reverb/transport"

// A client can ask without end: for pongs, for refusals, for the roster of a large channel again and again. Its answers are nobody else's
// frames, so they cost what they are long, and a client that does not read them must not have them kept. Nor is it right to cut it for
// them: a page that enters three hundred presence channels at once is owed three hundred rosters. So it is not listened to while answers wait:
// its next message is handled when those before are answered. A client that makes no progress is cut as any other (outbox.go).
const (
	// answerBytes is how many bytes of answers may wait when a message is handled, with frameCost for each.
	answerBytes = 512 << 10

	// answerFrames is how many may, for a tiny one costs much more than its bytes.
	answerFrames = 4096

	// unreadBytes is how many bytes of a client's messages wait behind its answers, beside one that may be larger.
	unreadBytes = 1 << 20
)

// Answer implements transport.Conn.
func (c *conn) Answer(frame []byte) {
	if c.state.Load() != stateOpen {
		return
	}
	c.mu.Lock()
	c.answering = true
	c.sendLocked(frame)
	c.answering = false
	c.mu.Unlock()
	c.table.poller.boundTotal()
}

// Room implements transport.Conn.
func (c *conn) Room(later func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() != stateOpen || !c.full.Load() {
		return true
	}
	c.outbox.later = append(c.outbox.later, later)
	return false
}

// crowded implements frameSink.
func (c *conn) crowded() bool { return c.full.Load() }

// fillLocked notes that answers have no room any more.
func (c *conn) fillLocked() {
	if c.outbox.crowded(c.table.poller) {
		c.full.Store(true)
	}
}

func (o *outbox) crowded(p *Poller) bool {
	return o.asked > answerFrames || o.answers > min(answerBytes, p.outboxBytes.Load())
}

// relieveLocked notes that less waits in o, which may not be the outbox any more.
func (c *conn) relieveLocked(o *outbox) {
	if !c.full.Load() || c.outbox == o && o.crowded(c.table.poller) {
		return
	}
	c.full.Store(false)
	c.socket.relieved()
	c.callLocked(o)
}

// callLocked has those that wait for room called.
func (c *conn) callLocked(o *outbox) {
	if later := o.later; later != nil {
		o.later = nil
		c.table.poller.work.Go(func() {
			for _, call := range later {
				call()
			}
		})
	}
}

// handleAll handles what was read until answers are in the way, and returns the rest.
func (c *conn) handleAll(p []byte) []byte {
	for len(p) > 0 {
		if p = c.handle(p); c.crowded() {
			break // and the socket is armed
		}
	}
	return p
}

// resume goes on with what is unread if answers have room. Only the reader may call it.
func (c *conn) resume() {
	if c.unread == nil || c.state.Load() == stateHandshake {
		return
	}
	if !c.crowded() {
		c.unread.b = c.handleAll(c.unread.b)
	}
	switch waits := len(c.unread.b); {
	case waits == 0:
		c.unread = nil
	case waits > unreadBytes+int(c.limit.Load()):
		c.Kill(transport.ReasonSlowConsumer)
	}
}

// giveUpAnswers is for a client that has hung up: what it said last is heard, though it does not hear the answers.
func (c *conn) giveUpAnswers() {
	if c.unread != nil && c.crowded() {
		c.mu.Lock()
		c.dropOutboxLocked()
		c.mu.Unlock()
		c.resume()
	}
}
