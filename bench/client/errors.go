package client

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrClosed is what Handler.Closed gets when this side ended the connection: Client.Close, Client.Kill or Fleet.Close.
var ErrClosed = errors.New("closed by this side")

// ErrTimeout is what Handler.Closed gets when connection_established did not come within Options.ConnectTimeout.
var ErrTimeout = errors.New("no connection_established in time")

// ErrNoAnswer is what a call of a Publisher returns when its answer did not come within Publisher.Timeout.
var ErrNoAnswer = errors.New("not within the time-out")

var errQueue = errors.New("the server does not read: more than 1 MiB waits to be sent")

// CloseError is a close frame of the server. Code is 1005 when the frame had none.
type CloseError struct {
	Code   int
	Reason string
}

func (e *CloseError) Error() string { return fmt.Sprintf("closed with %d %q", e.Code, e.Reason) }

// UpgradeError is an answer to the upgrade that does not open a WebSocket.
type UpgradeError struct {
	Status int    // 0 when the answer has none
	What   string // what is wrong with it
}

func (e *UpgradeError) Error() string { return fmt.Sprintf("upgrade: status %d: %s", e.Status, e.What) }

// RefusedError is a pusher:error in place of connection_established.
type RefusedError struct {
	Code    int
	Message string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("refused with %d %q", e.Code, e.Message) }

// ProtocolError is something that no server may send (RFC 6455, Pusher protocol 7).
type ProtocolError struct{ What string }

func (e *ProtocolError) Error() string { return "server broke the protocol: " + e.What }

// ending is what Handler.Closed is told of a client that ended in state was: the server's own words before anything else, then
// fault, which is why we ended it on our own, then that we were asked to, and then err, the end that was read.
func ending(was int32, err, fault error) error {
	closed := (*CloseError)(nil)
	switch {
	case errors.As(err, &closed):
		return err
	case fault != nil:
		return fault
	case was == stateLeaving:
		return ErrClosed
	case was < stateOpen && errors.Is(err, os.ErrDeadlineExceeded):
		return ErrTimeout
	}
	return err
}

// explain says that connecting went wrong, and names the limit behind the errors that a fleet meets first when it grows.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("connect: no local port is left (more Sources, or a wider net.ipv4.ip_local_port_range): %w", err)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("connect: the open-files limit of this process is reached (ulimit -n): %w", err)
	case errors.Is(err, syscall.ENFILE):
		return fmt.Errorf("connect: the open-files limit of the system is reached (fs.file-max): %w", err)
	}
	return fmt.Errorf("connect: %w", err)
}
