package handover

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// errGuardianGone is the answer when the link has broken.
var errGuardianGone = errors.New("the guardian of this server has gone")

// Link is a child's way to its guardian. All methods may be called from any goroutine.
type Link struct {
	// Constant after newLink.
	wire     wire
	watchdog time.Duration
	signals  chan os.Signal
	answers  chan message
	lost     chan struct{}
	received sync.WaitGroup

	mu     sync.Mutex // held by Start
	closed sync.Once
}

func newLink(conn *net.UnixConn, watchdog time.Duration) *Link {
	l := &Link{
		watchdog: watchdog,
		signals:  make(chan os.Signal, 4),
		answers:  make(chan message, 1),
		lost:     make(chan struct{}),
	}
	l.wire.conn = conn
	l.received.Go(l.receive)
	return l
}

// receive is the link's goroutine. It ends when the guardian does, or at Close.
func (l *Link) receive() {
	defer close(l.lost)
	for {
		m, fds, err := l.wire.receive()
		if err != nil {
			return
		}
		closeDescriptors(fds)
		switch m.Kind {
		case kindSignal:
			select {
			case l.signals <- syscall.Signal(m.Signal):
			default:
			}
		case kindStarted, kindRefused:
			select {
			case l.answers <- m:
			default:
			}
		}
	}
}

// Ready tells the guardian that this process serves, and gives it the sockets for the next one.
func (l *Link) Ready(s *Sockets) error {
	return s.use(func(entries []entry, fds []int) error {
		return l.wire.send(message{Kind: kindReady, Sockets: entries}, fds...)
	})
}

// Failed tells the guardian why this process does not start.
func (l *Link) Failed(reason error) {
	_ = l.wire.send(message{Kind: kindFailed, Text: shortened(reason.Error())})
}

// Closing tells the guardian that this process stops for good, so that the ports close.
func (l *Link) Closing() { _ = l.wire.send(message{Kind: kindClosing}) }

// Notify passes a state to the service manager.
func (l *Link) Notify(state string) { _ = l.wire.send(message{Kind: kindNotify, Text: state}) }

// Watchdog is how often the service manager wants to hear from this process; 0 = never.
func (l *Link) Watchdog() time.Duration { return l.watchdog }

// Signals are those that the guardian got.
func (l *Link) Signals() <-chan os.Signal { return l.signals }

// Lost is closed when the guardian has gone.
func (l *Link) Lost() <-chan struct{} { return l.lost }

// Start has the guardian start the next process, and returns its pid when it serves.
func (l *Link) Start(ctx context.Context, timeout time.Duration) (pid int, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.wire.send(message{Kind: kindNext, Timeout: timeout}); err != nil {
		return 0, errGuardianGone
	}
	select {
	case m := <-l.answers:
		if m.Kind == kindStarted {
			return m.PID, nil
		}
		return 0, errors.New(m.Text)
	case <-l.lost:
		return 0, errGuardianGone
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

// Close ends the link; the guardian then only waits for the end of this process.
func (l *Link) Close() {
	l.closed.Do(func() { _ = l.wire.conn.Close() })
	l.received.Wait()
}
