package poller

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gobwas/ws"

	"reverb/transport"
)

// Bounds of a message, in bytes: where none is set, and what no connection may have.
const (
	defaultMessage = 16 << 20
	maxMessage     = 1 << 30
)

// The states of a connection, in the only order they can follow one another.
const (
	stateHandshake uint32 = iota
	stateOpen
	stateClosing // a close frame or a refusal is on its way; nothing else will be sent
	stateCut     // shut down; the reader will notice and clean up
	stateGone    // socket closed, or given to net/http
)

// socket is what a connection needs of its TCP or TLS connection. All but detach, netConn and release are called with conn.mu held.
type socket interface {
	// send takes what can be sent without waiting; with less than all of b the error is EAGAIN or the end.
	send(b []byte) (int, error)

	// arm asks for the outbox, which was empty, to be flushed.
	arm()

	// flush sends now what waits, which is not nothing, as far as it goes without waiting, and sees to the rest as arm does.
	flush()

	// flushed is told in stateClosing that nothing waits any more: half-close, or cut when the client closed too.
	flushed()

	// hangUp shuts both directions down, so that the reader notices.
	hangUp()

	// detach takes the descriptor out of its loop: the reader reads no more.
	detach()

	// netConn turns a detached socket into a net.Conn.
	netConn() (net.Conn, error)

	// relieved is told that answers have room again.
	relieved()

	// release closes the socket; with abort what the kernel still holds of ours is dropped.
	release(abort bool)
}

// conn is a transport.Conn: what plain and TLS connections have in common. Of the many of them most are idle: every field counts.
type conn struct {
	// Constant after construction.
	socket socket
	table  *table

	// Written by the reader while a trusted proxy has not said whose they are; constant from Open or the hand-over on.
	addr     [16]byte // IPv4 as IPv4-mapped; netip.AddrPort has pointers and twice the size
	port     uint16
	standing standing

	// Owned by the reader: the loop, or the stream's goroutine, and after the hang-up whoever was told of it.
	opened   bool // Handler.Open was called
	deaf     bool // what the client still sends is thrown away
	eof      bool // nothing is left to read; of a loopConn
	receiver transport.Receiver
	decoder  decoder
	unread   *unread // nil mostly

	// Atomic; state is only written with mu held.
	state atomic.Uint32
	limit atomic.Int32 // bytes of a message
	full  atomic.Bool  // answerBytes of answers wait; only written with mu held

	// Guarded by mu.
	mu         sync.Mutex
	outbox     *outbox          // nil while nothing waits
	reason     transport.Reason // valid from stateClosing on
	peerClosed bool             // the client sent its close frame
	abort      bool             // do not leave unsent bytes to the kernel
	answering  bool             // what is sent answers the client
	corked     bool             // frames gather in the outbox; then nothing is armed
	watched    bool             // the sweep looks after the outbox: the deadline is that of its oldest byte, or earlier
	kept       bool             // an HTTP connection that has had an answer and may be idle; also read by the reader, who alone sets it

	// Guarded by table.mu.
	slot     int32
	deadline int64 // ns on the poller's clock
}

func (c *conn) init(s socket, tab *table, addr netip.AddrPort) {
	c.socket, c.table = s, tab
	c.addr, c.port = addr.Addr().As16(), addr.Port()
	c.standing = tab.poller.proxies.of(addr.Addr())
	c.limit.Store(defaultMessage)
}

func (c *conn) RemoteAddr() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(c.addr).Unmap(), c.port)
}

func (c *conn) SetMaxMessage(n int64) {
	if n <= 0 {
		n = defaultMessage
	}
	c.limit.Store(int32(min(n, maxMessage)))
}

func (c *conn) Close(code uint16, reason string) {
	var frame []byte
	if code != 0 {
		frame = closeFrame(code, reason)
	}
	c.close(frame, transport.ReasonServerClose)
}

func (c *conn) Kill(reason transport.Reason) {
	c.mu.Lock()
	c.cutLocked(reason, true)
	c.mu.Unlock()
}

// close lets last follow what waits. The first reason of a connection is the one that counts.
func (c *conn) close(last []byte, reason transport.Reason) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state.Load() > stateOpen {
		return
	}
	c.state.Store(stateClosing)
	c.reason = reason
	c.table.schedule(c, c.table.poller.cfg.CloseTimeout)
	if len(last) > 0 {
		c.pushLocked(last)
	}
	if c.outbox != nil {
		c.callLocked(c.outbox) // nothing of what they would say is sent any more
	}
	c.flushedLocked()
}

// flushedLocked goes on with closing when nothing waits any more.
func (c *conn) flushedLocked() {
	if c.state.Load() == stateClosing && c.outbox == nil {
		c.socket.flushed()
	}
}

// cutLocked ends the connection without waiting for anything. Cleaning up is left to the reader: closing here could
// re-enter the caller, who may hold locks, and a descriptor closed under a reader could be reused under it.
func (c *conn) cutLocked(reason transport.Reason, abort bool) {
	state := c.state.Load()
	if state >= stateCut {
		return
	}
	if state < stateClosing {
		c.reason = reason
	}
	c.state.Store(stateCut)
	c.abort = abort
	c.dropOutboxLocked()
	c.socket.hangUp()
}

// expire is called by the sweep once the deadline has passed.
func (c *conn) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch c.state.Load() {
	case stateHandshake:
		if !c.kept {
			c.table.poller.refused.add(refusedTimeout)
		}
		c.cutLocked(transport.ReasonHandshakeTimeout, false)
	case stateOpen:
		c.overdueLocked()
	case stateClosing:
		c.cutLocked(c.reason, true)
	}
}

// input takes what was read. p may be modified and is free again when input returns. Only the reader may call it.
func (c *conn) input(p []byte) {
	c.table.bytesIn.Add(uint64(len(p)))
	if c.unread != nil && c.state.Load() != stateHandshake {
		c.unread.b = append(c.unread.b, p...)
		c.resume()
		return
	}
	if rest := c.handleAll(p); len(rest) > 0 {
		c.unread = &unread{bytes.Clone(rest)}
	}
}

// handle takes what was read, up to the message that is behind too many answers, and returns the rest.
func (c *conn) handle(p []byte) (rest []byte) {
	defer c.contain()
	c.cork()
	defer c.uncork()
	if c.state.Load() == stateHandshake {
		p = c.handshake(p)
	}
	if len(p) == 0 || c.deaf || c.state.Load() >= stateCut {
		return nil
	}
	rest, v := c.decoder.feed(p, int64(c.limit.Load()), c)
	if v != nil {
		c.deaf = true
		c.sayClosed(v.reason) // nobody waits for the client to go
		c.close(closeFrame(v.code, v.text), v.reason)
	}
	return rest
}

// message implements frameSink.
func (c *conn) message(payload []byte, binary bool) bool {
	c.table.framesIn.Add(1)
	if c.state.Load() == stateOpen {
		c.receiver.Message(payload, binary)
	}
	return c.state.Load() < stateCut
}

// control implements frameSink.
func (c *conn) control(op ws.OpCode, payload []byte) bool {
	c.table.framesIn.Add(1)
	switch op {
	case ws.OpPing:
		c.Answer(pongFrame(payload))
		c.tell(transport.ControlPing)
	case ws.OpPong:
		c.tell(transport.ControlPong)
	case ws.OpClose:
		c.clientClosed(payload)
	}
	return c.state.Load() < stateCut
}

func (c *conn) tell(op transport.ControlOp) {
	if c.state.Load() == stateOpen {
		c.receiver.Control(op)
	}
}

// clientClosed answers a close frame, or takes it as the answer to ours. The server closes first (RFC 6455 7.1.1).
func (c *conn) clientClosed(payload []byte) {
	c.deaf = true
	asked := c.state.Load() == stateOpen
	c.mu.Lock()
	c.peerClosed = true
	c.flushedLocked()
	c.mu.Unlock()
	c.close(closeReply(payload), transport.ReasonClientClose)
	if asked {
		c.receiver.Control(transport.ControlClose)
	}
}

// finish cleans up, once. Only the reader may call it, as the last thing it does.
func (c *conn) finish() {
	p := c.table.poller
	c.mu.Lock()
	state := c.state.Load()
	if state == stateGone {
		c.mu.Unlock()
		return
	}
	if state < stateClosing {
		c.reason = transport.ReasonHangup
	}
	c.state.Store(stateGone)
	c.dropOutboxLocked()
	reason, abort := c.reason, c.abort
	c.mu.Unlock()

	c.socket.release(abort)
	c.decoder.release()
	c.unread = nil
	c.table.remove(c)
	p.admission.leave(c.counted())
	if c.opened {
		p.closed[min(int(reason), transport.Reasons-1)].Add(1)
		p.open.Add(-1)
		c.sayClosed(reason)
	}
	p.conns.Done()
}

// sayClosed tells the receiver, once.
func (c *conn) sayClosed(reason transport.Reason) {
	defer c.contain()
	if r := c.receiver; r != nil {
		c.receiver = nil
		r.Closed(reason)
	}
}

// contain is deferred around calls of the receiver: a panic there costs one connection and not the process.
func (c *conn) contain() {
	cause := recover()
	if cause == nil {
		return
	}
	p := c.table.poller
	p.panics.Add(1)
	p.cfg.Log.Error("panic in connection handler", "remote", c.RemoteAddr(), "err", fmt.Sprint(cause), "stack", string(debug.Stack()))
	c.deaf = true
	c.close(closeFrame(uint16(ws.StatusInternalServerError), ""), transport.ReasonPanic)
}

// after returns the moment d from now on the poller's clock.
func (p *Poller) after(d time.Duration) int64 { return int64(time.Since(p.start) + d) }
