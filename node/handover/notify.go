package handover

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"reverb/internal/envlist"
)

// Notifier tells systemd how the service is (sd_notify(3)). A nil Notifier is for everybody else.
type Notifier struct {
	address  *net.UnixAddr
	watchdog time.Duration
}

// NewNotifier returns nil when no service manager listens.
func NewNotifier(environ []string) *Notifier {
	path, _ := envlist.Lookup(environ, "NOTIFY_SOCKET")
	if path == "" || path[0] != '/' && path[0] != '@' {
		return nil
	}
	n := &Notifier{address: &net.UnixAddr{Name: path, Net: "unixgram"}}
	pid, has := envlist.Lookup(environ, "WATCHDOG_PID")
	usec, _ := envlist.Lookup(environ, "WATCHDOG_USEC")
	if number, err := strconv.ParseInt(usec, 10, 64); err == nil && number > 0 && (!has || pid == strconv.Itoa(os.Getpid())) {
		n.watchdog = time.Duration(number) * time.Microsecond
	}
	return n
}

// Notify sends a state. Errors are of no use to anybody: a manager that has gone needs no news.
func (n *Notifier) Notify(state string) {
	if n == nil {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, n.address)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = conn.Write([]byte(state))
}

// Watchdog is how often the manager wants to hear; 0 = never.
func (n *Notifier) Watchdog() time.Duration {
	if n == nil {
		return 0
	}
	return n.watchdog
}

// reloading is the state of a handover. systemd wants the time with it since version 253, to tell an old READY from the
// new one.
func reloading() string {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return "RELOADING=1"
	}
	return fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", now.Nano()/1000)
}
