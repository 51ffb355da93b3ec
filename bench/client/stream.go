package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// streamBuffer is the first read buffer of a stream, in bytes; it grows with the messages.
const streamBuffer = 4 << 10

// stream is a client on a net.Conn. It has a reading goroutine, and a writing one while something waits to be sent.
type stream struct {
	Client
	owner *streams

	// Owned by the reading goroutine.
	slot bool // holds one of owner.slots
	read turn

	// Guarded by Client.mu.
	conn    net.Conn // what is read and written
	tcp     net.Conn // what carries it
	out     []byte
	writing bool
	paused  bool
	cut     bool       // closed, or to be closed as soon as it is there
	fault   error      // why we ended it, when it was not asked for
	changed *sync.Cond // on Client.mu: paused, writing or the state
}

// run is the life of one client.
func (s *stream) run() {
	defer s.owner.done.Done()
	err := s.connect()
	if err == nil {
		err = s.receive()
	}
	s.release()
	s.owner.forget(s)
	if closed := (*CloseError)(nil); errors.As(err, &closed) {
		s.flush()
	}
	s.handler.Closed(&s.Client, s.finish(err))
}

// finish ends the connection and says why it ended.
func (s *stream) finish(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cutLocked()
	err = ending(s.state.Swap(stateGone), err, s.fault)
	s.leaveCount()
	return err
}

// connect waits for its turn, connects, and sends the upgrade.
func (s *stream) connect() error {
	o := s.owner
	select {
	case o.slots <- struct{}{}:
		s.slot = true
	case <-o.ctx.Done():
		return ErrClosed
	}
	s.began = Now()
	f := s.fleet
	ctx, cancel := context.WithTimeout(o.ctx, f.o.ConnectTimeout)
	defer cancel()
	d := o.dialer
	if source := f.nextSource(); source.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	conn, err := d.DialContext(ctx, "tcp", f.addr.String())
	if err != nil {
		return explain(err)
	}
	_ = conn.SetDeadline(time.Now().Add(f.o.ConnectTimeout))
	if conn, err = s.adopt(ctx, conn); err != nil {
		return err
	}
	n, err := conn.Write(f.request)
	f.count.bytesOut.Add(int64(n))
	if err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	return nil
}

// adopt makes tcp the client's connection and returns what is to be read and written.
func (s *stream) adopt(ctx context.Context, tcp net.Conn) (net.Conn, error) {
	_ = tcp.SetDeadline(time.Now().Add(s.fleet.o.ConnectTimeout))
	conn := tcp
	var secure *tls.Conn
	if s.owner.tls != nil {
		secure = tls.Client(tcp, s.owner.tls)
		conn = secure
	}
	s.mu.Lock()
	s.conn, s.tcp = conn, tcp
	if s.cut {
		_ = tcp.Close()
	}
	s.mu.Unlock()
	if secure != nil {
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("handshake of TLS: %w", err)
		}
	}
	return conn, nil
}

// receive reads until the connection ends.
func (s *stream) receive() error {
	buf := make([]byte, 0, streamBuffer)
	need := 0
	for {
		if need > cap(buf) || len(buf) == cap(buf) {
			buf = append(make([]byte, 0, max(min(need, 4*cap(buf)), 2*cap(buf))), buf...)
		}
		s.await()
		n, err := s.conn.Read(buf[len(buf):cap(buf)])
		s.read.now = Now()
		if n > 0 {
			buf = buf[:len(buf)+n]
			used, more, inputErr := s.input(buf, &s.read)
			need = more
			buf = buf[:copy(buf, buf[used:])]
			s.tally(n)
			if inputErr != nil {
				return inputErr
			}
		}
		if errors.Is(err, os.ErrDeadlineExceeded) && s.state.Load() == stateOpen {
			if !s.fleet.o.NoPings {
				s.ping()
			}
			continue
		}
		if errors.Is(err, io.EOF) && s.state.Load() == stateUpgrading {
			return fmt.Errorf("upgrade: %w", io.EOF)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return io.EOF
		}
		if err != nil {
			return fmt.Errorf("read: %w", err)
		}
	}
}

// await blocks while the client is paused, and sets the time until the next ping.
func (s *stream) await() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.paused && s.state.Load() < stateLeaving {
		s.changed.Wait()
	}
	if s.activity > 0 && s.state.Load() == stateOpen {
		_ = s.conn.SetReadDeadline(time.Now().Add(time.Duration(s.activity) * time.Second))
	}
}

// tally adds one read of n bytes to the fleet's counters.
func (s *stream) tally(n int) {
	c := &s.fleet.count
	c.bytesIn.Add(int64(n))
	c.frames.Add(s.read.frames)
	c.wakeups.Add(1)
	c.busyN.Add(Now() - s.read.now)
	s.read.frames = 0
}

// release lets the next client connect.
func (s *stream) release() {
	if s.slot {
		s.slot = false
		<-s.owner.slots
	}
}

func (s *stream) established() {
	s.mu.Lock()
	if s.state.Load() == stateOpen {
		_ = s.conn.SetDeadline(time.Time{})
	}
	s.mu.Unlock()
	s.release()
}

// sendLocked leaves the writing to a goroutine that lives as long as something waits.
func (s *stream) sendLocked(frame []byte) {
	if len(s.out) > maxQueue {
		s.fault = errQueue
		s.cutLocked()
		return
	}
	s.out = append(s.out, frame...)
	if !s.writing {
		s.writing = true
		s.owner.done.Add(1) // never from zero: the reading goroutine is counted until the client is gone
		go s.write()
	}
}

func (s *stream) write() {
	defer s.owner.done.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.out) > 0 && !s.cut {
		out := s.out
		s.out = nil
		s.mu.Unlock()
		n, err := s.conn.Write(out)
		s.fleet.count.bytesOut.Add(int64(n))
		s.mu.Lock()
		if err != nil {
			s.cutLocked() // the reading goroutine says why
		}
	}
	s.writing = false
	s.changed.Broadcast()
}

// flush waits until all is written, or cannot be.
func (s *stream) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
	for s.writing {
		s.changed.Wait()
	}
}

// cutLocked closes the socket, which ends whatever waits for it. TLS is not told: nothing of worth follows our close frame.
func (s *stream) cutLocked() {
	s.cut = true
	if s.tcp != nil {
		_ = s.tcp.Close()
	}
	s.changed.Broadcast()
}

func (s *stream) leave(was int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if was == stateUpgrading {
		s.cutLocked()
		return
	}
	_ = s.conn.SetReadDeadline(time.Now().Add(closeTimeout))
	s.changed.Broadcast()
}

func (s *stream) kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Load() < stateLeaving {
		s.state.Store(stateLeaving)
	}
	if tcp, ok := s.tcp.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	s.cutLocked()
}

// pause takes effect after the read that is under way.
func (s *stream) pause(on bool) {
	s.mu.Lock()
	s.paused = on
	s.mu.Unlock()
	s.changed.Broadcast()
}
