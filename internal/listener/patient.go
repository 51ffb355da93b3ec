package listener

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"reverb/internal/logging"
)

const (
	acceptPauseMin = 5 * time.Millisecond // after a first failure, doubled by each further one
	acceptPauseMax = time.Second
	acceptQuiet    = time.Minute // between two log lines about failures
)

// patient is a listener that goes on after a failure of the system: no free descriptor, no memory, a connection that
// was reset before anybody took it. Its Accept fails only when it was closed. net/http by itself goes on after some of
// these failures and ends for good after others (ENOBUFS, ENOMEM).
type patient struct {
	// Constant after Patient.
	net.Listener
	log     *logging.Throttle
	failed  func() // is called at each failure
	closing chan struct{}
	once    sync.Once
}

// Patient has ln go on after failures of the system, which are logged, and told to failed.
func Patient(ln net.Listener, log *slog.Logger, failed func()) net.Listener {
	return &patient{Listener: ln, log: logging.NewThrottle(log, acceptQuiet), failed: failed, closing: make(chan struct{})}
}

// Accept waits for the next connection, however often the system fails meanwhile.
func (l *patient) Accept() (net.Conn, error) {
	for pause := acceptPauseMin; ; pause = min(2*pause, acceptPauseMax) {
		conn, err := l.Listener.Accept()
		if err == nil || errors.Is(err, net.ErrClosed) {
			return conn, err
		}
		l.tell(err)
		select {
		case <-time.After(pause):
		case <-l.closing:
			return nil, net.ErrClosed
		}
	}
}

// tell counts a failure, and logs the first of each minute.
func (l *patient) tell(err error) {
	l.failed()
	l.log.Log(slog.LevelWarn, "", "cannot accept connections", slog.String("addr", l.Addr().String()), slog.String("err", Reason(err)))
}

// Close may be called several times. It ends an Accept that waits after a failure.
func (l *patient) Close() error {
	l.once.Do(func() { close(l.closing) })
	return l.Listener.Close()
}
