package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"reverb/internal/envlist"
)

const (
	variable  = "REVERB_HANDOVER" // what a guardian tells its child
	firstFD   = 3                 // the first inherited descriptor (also SD_LISTEN_FDS_START)
	mostGiven = 64                // sockets
)

// inheritance is the value of the variable. The descriptors are the link and then one for each socket.
type inheritance struct {
	Sockets []entry `json:"sockets"`
	// WatchdogUsec is how often the service manager wants a sign of life, in microseconds; 0 = never.
	WatchdogUsec int64 `json:"watchdog_usec,omitempty"`
}

// Inherit takes what this process was given: by a guardian, then there is a link, or by a service manager that opens
// sockets itself. It must be called once and before the process opens files.
func Inherit(environ []string) (*Sockets, *Link, error) {
	if text, ok := envlist.Lookup(environ, variable); ok {
		return inheritFromGuardian(text)
	}
	sockets, err := activated(environ)
	return sockets, nil, err
}

func inheritFromGuardian(text string) (*Sockets, *Link, error) {
	var in inheritance
	if err := json.Unmarshal([]byte(text), &in); err != nil || len(in.Sockets) > mostGiven {
		return nil, nil, errors.New("read " + variable + ": it is set by a running server for the next one, and nobody else can")
	}
	unix.CloseOnExec(firstFD)
	f := os.NewFile(firstFD, "link")
	conn, err := net.FileConn(f)
	_ = f.Close()
	unixConn, ok := conn.(*net.UnixConn)
	if err != nil || !ok {
		return nil, nil, fmt.Errorf("use the link of %s: %w", variable, errors.Join(err, errors.ErrUnsupported))
	}
	s := new(Sockets)
	for i, e := range in.Sockets {
		fd := firstFD + 1 + i
		unix.CloseOnExec(fd)
		s.given = append(s.given, socket{e, fd})
	}
	return s, newLink(unixConn, time.Duration(in.WatchdogUsec)*time.Microsecond), nil
}

// activated takes the sockets of systemd (sd_listen_fds(3)).
func activated(environ []string) (*Sockets, error) {
	s := new(Sockets)
	pid, _ := envlist.Lookup(environ, "LISTEN_PID")
	count, _ := envlist.Lookup(environ, "LISTEN_FDS")
	if pid != strconv.Itoa(os.Getpid()) || count == "" {
		return s, nil
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > mostGiven {
		return nil, fmt.Errorf("LISTEN_FDS = %.20q: want at most %d sockets", count, mostGiven)
	}
	text, _ := envlist.Lookup(environ, "LISTEN_FDNAMES")
	names := strings.Split(text, ":")
	for i := range n {
		name := Server
		if i < len(names) && slices.Contains([]string{Metrics, Dashboard, Control}, names[i]) {
			name = names[i]
		}
		unix.CloseOnExec(firstFD + i)
		s.given = append(s.given, socket{entry{Name: name, Activated: true}, firstFD + i})
	}
	return s, nil
}

// Clean is the environment without what one process tells the next.
func Clean(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID":
			return true
		}
		return false
	})
}
