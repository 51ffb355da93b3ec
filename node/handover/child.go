package handover

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lastWords is how long a child that has ended may have left something unread.
const lastWords = time.Second

// child is one process that the guardian started.
type child struct {
	// Constant after spawn.
	process *os.Process
	wire    wire
	ready   chan []socket // gets the sockets of a child that serves
	exited  chan struct{} // closed when the process has ended and what it said is read

	// Written before exited is closed.
	state   *os.ProcessState
	failure string
}

// spawn starts the program with the sockets.
func spawn(p Program, s *Sockets, watchdog time.Duration) (*child, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(theirs) }()
	c := &child{ready: make(chan []socket, 1), exited: make(chan struct{})}
	c.wire.conn = ours
	pid := 0
	err = s.use(func(entries []entry, fds []int) error {
		value, err := json.Marshal(inheritance{Sockets: entries, WatchdogUsec: watchdog.Microseconds()})
		if err != nil {
			return err
		}
		files := []uintptr{0, 1, 2, uintptr(theirs)}
		for _, fd := range fds {
			files = append(files, uintptr(fd))
		}
		// os/exec would make the sockets blocking.
		pid, err = syscall.ForkExec(p.Path, p.Args, &syscall.ProcAttr{
			Dir:   p.Dir,
			Env:   append(p.Environ[:len(p.Environ):len(p.Environ)], variable+"="+string(value)),
			Files: files,
		})
		return err
	})
	if err != nil {
		_ = ours.Close()
		return nil, fmt.Errorf("start %s: %w", p.Path, err)
	}
	if c.process, err = os.FindProcess(pid); err != nil {
		return nil, fmt.Errorf("find the process of %s: %w", p.Path, err)
	}
	return c, nil
}

// pair opens the two ends of a link; only ours is one that Go waits for.
func pair() (ours *net.UnixConn, theirs int, err error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, 0, fmt.Errorf("open socket pair: %w", err)
	}
	f := os.NewFile(uintptr(fds[0]), "link")
	conn, err := net.FileConn(f)
	_ = f.Close()
	if err != nil {
		_ = unix.Close(fds[1])
		return nil, 0, fmt.Errorf("use socket pair: %w", err)
	}
	return conn.(*net.UnixConn), fds[1], nil
}

// wait is the goroutine that waits for the end of the process; read is closed when its last message has been.
func (c *child) wait(read <-chan struct{}) {
	c.state, _ = c.process.Wait()
	_ = c.wire.conn.SetReadDeadline(time.Now().Add(lastWords))
	<-read
	_ = c.wire.conn.Close()
	select {
	case sockets := <-c.ready: // nobody took them
		closeAll(sockets)
	default:
	}
	close(c.exited)
}

// status is the exit status of a child that has ended; 128 and the number of the signal that killed it, as a shell says
// it.
func (c *child) status() int {
	if c.state == nil {
		return 1
	}
	if ws, ok := c.state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return c.state.ExitCode()
}

// reason says why a child that has ended never served.
func (c *child) reason() error {
	switch {
	case c.failure != "":
		return errors.New(c.failure)
	case c.state == nil:
		return errors.New("the new server ended")
	case c.status() > 128:
		return errors.New("the new server was killed before it was ready: " + c.state.String())
	}
	return errors.New("the new server ended before it was ready, with exit status " + strconv.Itoa(c.status()))
}
