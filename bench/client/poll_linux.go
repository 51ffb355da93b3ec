package client

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Slots that are no sockets.
const (
	slotWake int32 = -1
	slotTick int32 = -2
)

const (
	tickEvery = 100 * time.Millisecond // between two sweeps
)

// poll is an epoll instance with a bell that any goroutine may ring and a clock that ticks. Events carry a slot number in place of
// the descriptor. wait is for the loop; the rest may be called by anyone until close.
//
// A wait parks in the runtime's own poller, which watches the epoll descriptor as it would a socket. So a waiting loop holds no
// thread and no processor, and the publishers beside it run at once, even with GOMAXPROCS=1: after a blocking system call they
// would get the processor back only when the runtime's monitor takes it away, up to 10 ms later.
type poll struct {
	file   *os.File // owns fd
	raw    syscall.RawConn
	fd     int
	bell   int // eventfd
	clock  int // timerfd
	events []unix.EpollEvent
	n      int
	try    func(fd uintptr) bool // made once: a closure of each wait would be garbage
}

// newPoll makes one that returns so many events at a time, at most.
func newPoll(events int) (*poll, error) {
	p := &poll{bell: -1, clock: -1, events: make([]unix.EpollEvent, events)}
	if err := p.open(); err != nil {
		p.close()
		return nil, fmt.Errorf("make a loop: %w", err)
	}
	p.try = func(uintptr) bool {
		p.n = p.collect()
		return p.n > 0
	}
	return p, nil
}

func (p *poll) open() error {
	var err error
	if p.fd, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return os.NewSyscallError("epoll_create1", err)
	}
	if err = unix.SetNonblock(p.fd, true); err != nil { // or NewFile leaves it out of the runtime's poller
		return errors.Join(os.NewSyscallError("fcntl", err), unix.Close(p.fd))
	}
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil {
		return err
	}
	if p.bell, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return os.NewSyscallError("eventfd", err)
	}
	if p.clock, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		return os.NewSyscallError("timerfd_create", err)
	}
	every := unix.NsecToTimespec(int64(tickEvery))
	if err = unix.TimerfdSettime(p.clock, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		return os.NewSyscallError("timerfd_settime", err)
	}
	return errors.Join(p.watch(p.bell, slotWake, unix.EPOLLIN), p.watch(p.clock, slotTick, unix.EPOLLIN))
}

// wait returns what happened, and does not wait for it when block is false. The events are valid until the next call.
func (p *poll) wait(block bool) ([]unix.EpollEvent, error) {
	if !block {
		return p.events[:p.collect()], nil
	}
	p.n = 0
	if err := p.raw.Read(p.try); err != nil {
		return nil, fmt.Errorf("wait for events: %w", err)
	}
	return p.events[:p.n], nil
}

func (p *poll) collect() int {
	n, err := unix.EpollWait(p.fd, p.events, 0)
	if err != nil { // EINTR; the descriptor is ours, so nothing else can be
		return 0
	}
	return n
}

func (p *poll) watch(fd int, slot int32, events uint32) error {
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: slot}))
}

// change replaces the events of a watched descriptor. It cannot fail for one that is.
func (p *poll) change(fd int, slot int32, events uint32) {
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: slot})
}

// ring ends a wait that is under way, or the next one.
func (p *poll) ring() {
	one := [8]byte{1} // any number but zero, in any byte order
	_, _ = unix.Write(p.bell, one[:])
}

// quiet takes the ring or the ticks back.
func (p *poll) quiet(slot int32) {
	fd := p.bell
	if slot == slotTick {
		fd = p.clock
	}
	var count [8]byte
	_, _ = unix.Read(fd, count[:])
}

func (p *poll) close() {
	for _, fd := range []int{p.bell, p.clock} {
		if fd >= 0 {
			_ = unix.Close(fd)
		}
	}
	if p.file != nil {
		_ = p.file.Close()
	}
}
