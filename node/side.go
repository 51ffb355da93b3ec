package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"reverb/internal/listener"
)

// sideTimeout bounds each phase of a request to a side.
const sideTimeout = 10 * time.Second

// side is an HTTP server on an address of its own: that of the metrics, or of the live page. A nil side is off.
type side struct {
	http *http.Server
	log  *slog.Logger
}

func newSide(handler http.Handler, log *slog.Logger) *side {
	return &side{log: log, http: &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: sideTimeout,
		ReadTimeout:       sideTimeout,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}}
}

// serve answers what a listener accepts until end. ended is for the log, when it ends otherwise.
func (s *side) serve(ln net.Listener, ended string) {
	if err := s.http.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		s.log.Error(ended, "err", err)
	}
}

func (s *side) end(ctx context.Context) {
	if s != nil {
		endHTTP(ctx, s.http)
	}
}

// listenBeside opens the address that a key of the configuration names, or takes over what was opened before under a
// name.
func (n *Node) listenBeside(name, key, address string) ([]*net.TCPListener, error) {
	all, err := n.process.Listen(name, address, func() (net.Listener, error) {
		return new(net.ListenConfig).Listen(context.Background(), "tcp", address)
	})
	if err != nil {
		return nil, fmt.Errorf("listen on %s = %q: %s", key, address, listener.Reason(err))
	}
	return all, nil
}

// patient has a listener go on after failures of the system, and counts them.
func (n *Node) patient(name string, ln net.Listener) net.Listener {
	return listener.Patient(ln, n.log, n.acceptFailed(name))
}
