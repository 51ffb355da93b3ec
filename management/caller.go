package management

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Caller is an operator who has given an order and waits for its end. All methods may be called from any goroutine;
// none waits for longer than callTimeout.
type Caller struct {
	ended chan struct{}

	mu sync.Mutex
	// Guarded by mu.
	out  answer
	over bool
}

// answer is the way back to a caller.
type answer interface {
	write(e Event) error
}

func newCaller(out answer) *Caller { return &Caller{out: out, ended: make(chan struct{})} }

// Tell sends the caller events. A caller that has left, or takes nothing, need not be told any more.
func (c *Caller) Tell(events ...Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range events {
		if c.over {
			return
		}
		if err := c.out.write(e); err != nil {
			c.endLocked()
		}
	}
}

// Refuse is the whole answer: why the order is not carried out.
func (c *Caller) Refuse(text string) {
	c.Tell(Event{Kind: Failed, Text: strings.ReplaceAll(text, "\n", " ")})
	c.End()
}

// End is the end of the answer. It may be called several times.
func (c *Caller) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.endLocked()
}

func (c *Caller) endLocked() {
	if !c.over {
		c.over = true
		close(c.ended)
	}
}

// inLines answers in the protocol of lines.
type inLines struct{ conn net.Conn }

func (a inLines) write(e Event) error {
	_ = a.conn.SetWriteDeadline(time.Now().Add(callTimeout))
	_, err := a.conn.Write([]byte(e.line()))
	return err
}

// inJSON answers over HTTP, one line of JSON an event.
type inJSON struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (a inJSON) write(e Event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_ = a.control.SetWriteDeadline(time.Now().Add(callTimeout)) // not every ResponseWriter can
	if _, err := a.w.Write(append(body, '\n')); err != nil {
		return err
	}
	return a.control.Flush()
}
