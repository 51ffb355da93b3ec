package poller

import (
	"crypto/tls"
	"net"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

const (
	streamRead  = 4 << 10  // bytes read at once
	streamWrite = 16 << 10 // bytes written at once: one TLS record
)

// streamBuffers lends a writer its buffer.
var streamBuffers = sync.Pool{New: func() any { return new([streamWrite]byte) }}

// stream is a TLS connection. A goroutine reads it, because crypto/tls cannot be driven by events; another one
// writes while something waits.
type stream struct {
	conn
	raw *net.TCPConn
	tls *tls.Conn

	// Guarded by conn.mu.
	writing bool      // a writer runs
	room    sync.Cond // that answers have room
	ended   bool      // TLS was told that nothing more will be sent

	writer sync.WaitGroup
}

// startStream lets a goroutine of its own serve fd.
func (p *Poller) startStream(fd int, addr netip.AddrPort, tc *tls.Config) {
	nc, err := netConn(fd)
	raw, ok := nc.(*net.TCPConn)
	if err != nil || !ok {
		p.refused.add(refusedEMFILE)
		p.admission.leave(p.proxies.counted(addr.Addr()))
		return
	}
	s := &stream{raw: raw}
	s.init(s, &p.streams, addr)
	s.room.L = &s.mu
	if s.standing.hasHeader() {
		s.tls = tls.Server(&announcedConn{TCPConn: raw, conn: &s.conn}, tc)
	} else {
		s.tls = tls.Server(raw, tc)
	}
	p.conns.Add(1)
	p.streams.add(&s.conn, p.cfg.TLSTimeout)
	p.work.Go(s.run)
}

// run reads until the end. It is the reader of the contract.
func (s *stream) run() {
	defer s.finish()
	p := s.table.poller
	if err := s.tls.Handshake(); err != nil {
		if s.state.Load() == stateHandshake {
			s.refuse(err)
		}
		return
	}
	s.table.schedule(&s.conn, p.cfg.HandshakeTimeout)
	s.read()
}

// read goes on until the end.
func (s *stream) read() {
	buf := make([]byte, streamRead)
	for s.state.Load() < stateCut {
		n, err := s.tls.Read(buf)
		if n > 0 {
			s.take(buf[:n])
		}
		if err != nil {
			return
		}
	}
}

// take is input, but for messages that are behind too many answers it waits, and reads nothing meanwhile.
func (s *stream) take(p []byte) {
	s.input(p)
	for s.unread != nil && s.state.Load() != stateHandshake {
		s.mu.Lock()
		for s.full.Load() {
			s.room.Wait()
		}
		s.mu.Unlock()
		s.resume()
	}
}

// relieved wakes the reader.
func (s *stream) relieved() { s.room.Broadcast() }

// send takes nothing: crypto/tls may wait.
func (s *stream) send([]byte) (int, error) { return 0, unix.EAGAIN }

// arm starts a writer unless there is one.
func (s *stream) arm() {
	if s.writing || s.state.Load() >= stateCut {
		return
	}
	s.writing = true
	s.writer.Go(s.write)
}

func (s *stream) flush() { s.arm() }

func (s *stream) flushed() { s.arm() }

// write sends what waits and ends when nothing does.
func (s *stream) write() {
	buf := streamBuffers.Get().(*[streamWrite]byte)
	defer streamBuffers.Put(buf)
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.outbox != nil {
		n := s.gatherLocked(buf[:])
		s.mu.Unlock()
		_, err := s.tls.Write(buf[:n])
		s.mu.Lock()
		switch {
		case err != nil:
			s.cutLocked(ioReason(err), true)
		case s.outbox != nil: // else it was cut meanwhile
			s.popLocked(n)
		}
	}
	if s.state.Load() == stateClosing {
		s.endLocked()
	}
	s.writing = false
}

// gatherLocked copies what fits into buf. It waits on until the socket has taken it: only then is it progress.
func (s *stream) gatherLocked(buf []byte) int {
	var batch [writeBatch][]byte
	n := 0
	for _, f := range s.outbox.peek(batch[:0]) {
		n += copy(buf[n:], f)
	}
	return n
}

// endLocked says goodbye in TLS before it does in TCP. It lets go of mu meanwhile: that may wait.
func (s *stream) endLocked() {
	if !s.ended {
		s.ended = true
		s.mu.Unlock()
		_ = s.tls.CloseWrite()
		s.mu.Lock()
	}
	if s.peerClosed {
		s.cutLocked(s.reason, false)
	} else if s.state.Load() == stateClosing {
		_ = s.raw.CloseWrite()
	}
}

// hangUp lets everything that waits for the socket return, whatever crypto/tls is doing.
func (s *stream) hangUp() {
	_ = s.raw.CloseRead()
	_ = s.raw.CloseWrite()
}

func (s *stream) detach() {}

func (s *stream) netConn() (net.Conn, error) { return s.tls, nil }

func (s *stream) release(abort bool) {
	s.hangUp()
	s.writer.Wait()
	if abort {
		_ = s.raw.SetLinger(0)
	}
	_ = s.raw.Close()
}
