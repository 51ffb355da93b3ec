package poller

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

const (
	readBuffer = 64 << 10 // bytes, per loop
	writeTurns = 16       // writes of one connection before others have their turn
	writeBatch = 64       // frames per write
	drainTurns = 256      // reads after a hang-up: more than a kernel keeps for one socket
	loopTurns  = 32       // sockets that are read before other goroutines have their turn
)

// loop is our side of one of netpoll's Polls. A field that table.mu does not guard belongs to the Poll's goroutine.
type loop struct {
	table table
	poll  netpoll.Poll
	turn  func() // lets others have theirs
	turns uint32
	read  [readBuffer]byte
}

// drainPool lends read buffers to hang-ups, which netpoll reports on goroutines of its own.
var drainPool = sync.Pool{New: func() any { return new([readBuffer]byte) }}

// loopConn is a connection whose socket one of netpoll's Polls waits for. No goroutine belongs to it.
type loopConn struct {
	conn
	op  *netpoll.FDOperator
	fd  int32
	hup atomic.Bool // the hang-up was reported; kqueue can do that twice
}

// adopt lets the loop wait for fd, which it owns from then on.
func (l *loop) adopt(fd int, addr netip.AddrPort) {
	c := l.prepare(fd, addr)
	// Nothing of c may be touched once this succeeds: its callbacks run, or have even ended it.
	if err := l.poll.Control(c.op, netpoll.PollReadable); err != nil {
		l.table.poller.refused.add(refusedEMFILE)
		c.finish()
	}
}

// prepare makes the connection of fd, which the loop does not wait for yet.
func (l *loop) prepare(fd int, addr netip.AddrPort) *loopConn {
	c := &loopConn{fd: int32(fd), op: l.poll.Alloc()}
	c.init(c, &l.table, addr)
	c.op.FD = fd
	c.op.OnRead, c.op.OnWrite, c.op.OnHup = c.onRead, c.onWrite, c.onHup
	l.table.poller.conns.Add(1)
	l.table.add(&c.conn, l.table.poller.cfg.HandshakeTimeout)
	return c
}

// onRead is called by the Poll's goroutine while there is something to read. It reads once: then others have their turn, and now and
// then those who deliver. While 5,000 clients came back on one processor, that halved the p99 of a broadcast to 1,000 others.
func (c *loopConn) onRead(netpoll.Poll) error {
	l := c.loop()
	c.readOnce(l.read[:])
	if l.turns++; l.turns%loopTurns == 0 {
		l.turn()
	}
	return nil
}

// readOnce reads and handles what fits into buf, and reports whether there may be more. Less than a full buffer
// means that the socket is empty; should it not be, the level-triggered Poll calls again.
func (c *loopConn) readOnce(buf []byte) bool {
	n, err := receive(int(c.fd), buf)
	switch {
	case n > 0:
		c.input(buf[:n])
		return n == len(buf) && c.state.Load() < stateCut
	case errors.Is(err, unix.EINTR):
		return true
	case errors.Is(err, unix.EAGAIN):
		return false
	default:
		c.eof = true // the Poll reports the hang-up itself
		return false
	}
}

// onWrite is called by the Poll's goroutine while the socket takes bytes, if arm asked for it.
func (c *loopConn) onWrite(netpoll.Poll) error {
	c.mu.Lock()
	gone := c.state.Load() == stateGone // given away by the onRead before it
	if !gone && c.writeLocked() {
		_ = c.op.Control(netpoll.PollRW2R) // fails only for a socket that hangs up
		c.flushedLocked()
	}
	c.mu.Unlock()
	if !gone {
		c.resume()
	}
	return nil
}

// flush is called with EPOLLOUT not armed.
func (c *loopConn) flush() {
	if c.writeLocked() {
		c.flushedLocked()
	} else {
		c.arm()
	}
}

// writeLocked sends what waits until the socket is full, and reports whether all is sent.
func (c *loopConn) writeLocked() bool {
	var batch [writeBatch][]byte
	for range writeTurns {
		if c.outbox == nil || c.state.Load() >= stateCut {
			break
		}
		n, err := unix.SendmsgBuffers(int(c.fd), c.outbox.peek(batch[:0]), nil, nil, 0)
		if n > 0 {
			c.popLocked(n)
		}
		if errors.Is(err, unix.EAGAIN) {
			break
		}
		if err != nil && !errors.Is(err, unix.EINTR) {
			c.cutLocked(ioReason(err), true)
		}
	}
	return c.outbox == nil
}

// onHup is called when the client has left or the socket was shut down, after the Poll forgot the socket and never
// together with onRead. Bytes that came with the FIN are still to be read.
func (c *loopConn) onHup(netpoll.Poll) error {
	if c.hup.Swap(true) || c.state.Load() == stateGone {
		return nil
	}
	c.giveUpAnswers()
	if !c.eof && c.state.Load() < stateCut {
		buf := drainPool.Get().(*[readBuffer]byte)
		for range drainTurns {
			if !c.readOnce(buf[:]) {
				break
			}
		}
		drainPool.Put(buf)
	}
	c.finish()
	return nil
}

func (c *loopConn) loop() *loop { return c.table.loop }

func (c *loopConn) send(b []byte) (int, error) {
	for {
		n, err := send(int(c.fd), b)
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}

// arm asks for onWrite. It fails only for a socket that the Poll has forgotten because it hangs up.
func (c *loopConn) arm() {
	if c.outbox != nil {
		_ = c.op.Control(netpoll.PollR2RW)
	}
}

func (c *loopConn) flushed() {
	if c.peerClosed {
		c.cutLocked(c.reason, false)
		return
	}
	_ = unix.Shutdown(int(c.fd), unix.SHUT_WR)
}

func (c *loopConn) hangUp() { _ = unix.Shutdown(int(c.fd), unix.SHUT_RDWR) }

// relieved has nothing to do: onWrite goes on with what is unread.
func (c *loopConn) relieved() {}

// detach is called within onRead or onHup, where the operator cannot be freed: netpoll still marks it as busy.
func (c *loopConn) detach() { _ = c.op.Control(netpoll.PollDetach) }

func (c *loopConn) netConn() (net.Conn, error) {
	c.op.Free()
	return netConn(int(c.fd))
}

// release closes the descriptor. The Poll has already forgotten it, and conn.mu was taken since, so that no one
// writes to its number any more.
func (c *loopConn) release(abort bool) {
	c.op.Free()
	if abort {
		_ = unix.SetsockoptLinger(int(c.fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	}
	_ = unix.Close(int(c.fd))
}

// netConn gives fd to the runtime's own poller. fd is closed in any case.
func netConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "tcp")
	defer func() { _ = f.Close() }()
	return net.FileConn(f)
}
