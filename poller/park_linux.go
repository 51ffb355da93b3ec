package poller

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"syscall"
	"time"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// regather is how many events a parker handles before netpoll takes back the operators that were freed meanwhile, 120 bytes each.
const regather = 1024

// parker waits for the sockets of one Poll in place of netpoll, on the Poll's goroutine. netpoll waits in epoll_wait, as an ordinary
// system call: Go's scheduler believes that the loop still runs, and goroutines that are ready (workers, net/http, TLS, Redis) wait
// until the monitor thread takes the processor away, 20 µs to 10 ms later. A parker waits for the epoll descriptor in Go's own poller,
// so that its processor is free at once. ADR 12 has the measurements.
//
// No event is lost: Read forgets earlier news of the descriptor before it asks, netpoll's epoll is level-triggered and so tells of
// everything that is still unread, and an event after the question is news that ends the wait.
type parker[E any] struct {
	poll    netpoll.Poll
	handler func([]E) bool // netpoll's own
	file    *os.File       // a duplicate of the Poll's epoll descriptor, in Go's poller
	raw     syscall.RawConn
	take    func(epfd int, events []E, msec int) (int, error) // netpoll.EpollWait
	ask     func(fd uintptr) bool                             // question, made once

	// Owned by the Poll's goroutine.
	events []E // as long as netpoll's barriers, which it indexes by event
	n      int
}

// park lets the Poll wait in Go's poller, from its next event on and until it ends. To call it again has no effect.
func park(poll netpoll.Poll) error { return parkWith(poll, netpoll.EpollWait) }

// parkWith gets the name of netpoll's event type from the type of netpoll.EpollWait.
func parkWith[E any](poll netpoll.Poll, take func(int, []E, int) (int, error)) error {
	handler, epfd, err := insides[E](poll)
	if err != nil {
		return err
	}
	p := &parker[E]{poll: poll, take: take}
	p.ask = p.question
	if err := p.open(epfd); err != nil {
		return fmt.Errorf("wait for netpoll's epoll: %w", err)
	}
	installed, err := p.install(handler)
	if !installed {
		_ = p.file.Close()
	}
	return err
}

// insides finds the field that holds a Poll's handler, and its epoll descriptor. The types are checked: another netpoll is an error.
func insides[E any](poll netpoll.Poll) (handler *func([]E) bool, epfd int, err error) {
	v := reflect.ValueOf(poll)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, 0, fmt.Errorf("netpoll's poll is a %T", poll)
	}
	fd := v.Elem().FieldByName("fd")
	if !fd.IsValid() || fd.Kind() != reflect.Int {
		return nil, 0, errors.New("netpoll's poll has no epoll descriptor")
	}
	field := v.Elem().FieldByName("Handler")
	if !field.IsValid() || !field.CanInterface() {
		return nil, 0, errors.New("netpoll's poll has no handler")
	}
	handler, ok := field.Addr().Interface().(*func([]E) bool)
	if !ok {
		return nil, 0, fmt.Errorf("netpoll's handler is a %v", field.Type())
	}
	return handler, int(fd.Int()), nil
}

// open puts a duplicate of the epoll descriptor into Go's poller. Not to block is said to the epoll that both share; it has no
// effect on epoll_wait, whose time-out decides.
func (p *parker[E]) open(epfd int) error {
	fd, err := unix.FcntlInt(uintptr(epfd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("duplicate descriptor: %w", err)
	}
	if err = unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return fmt.Errorf("set non-blocking: %w", err)
	}
	p.file = os.NewFile(uintptr(fd), "netpoll")
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.file.SetReadDeadline(time.Time{}) // an error when Go's poller has not taken it
	}
	if err != nil {
		_ = p.file.Close()
	}
	return err
}

// install exchanges the handler on the Poll's own goroutine, which reads it all the time: in the callback of an eventfd.
func (p *parker[E]) install(handler *func([]E) bool) (installed bool, err error) {
	fd, err := unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return false, fmt.Errorf("open eventfd: %w", err)
	}
	defer func() { _ = unix.Close(fd) }()
	done := make(chan struct{})
	called := false
	op := p.poll.Alloc()
	op.FD = fd
	op.OnRead = func(netpoll.Poll) error {
		if called { // it stays readable until it is detached
			return nil
		}
		called = true
		if ours := p.handle; !sameCode(*handler, ours) {
			p.handler, *handler, installed = *handler, ours, true
			_ = p.poll.Trigger() // so that it takes effect before netpoll waits once more
		}
		close(done)
		return nil
	}
	op.OnHup = func(netpoll.Poll) error { return nil }
	if err := p.poll.Control(op, netpoll.PollReadable); err != nil {
		op.Free()
		return false, fmt.Errorf("wait for eventfd: %w", err)
	}
	<-done
	err = op.Control(netpoll.PollDetach)
	op.Free() // waits until OnRead has returned
	return installed, err
}

// sameCode reports whether two handlers are the same method, of whichever parkers.
func sameCode[E any](a, b func([]E) bool) bool {
	return reflect.ValueOf(a).Pointer() == reflect.ValueOf(b).Pointer()
}

// handle is the Poll's handler. It does what netpoll's Wait does around it, and waits. It returns to Wait now and then, for freed
// operators are only taken back there, and when the Poll ends; an event of the Poll's own then keeps Wait from sleeping.
func (p *parker[E]) handle(events []E) (closed bool) {
	p.events = events[:cap(events)]
	for handled := 0; ; {
		if p.handler(events) {
			_ = p.file.Close()
			return true
		}
		if handled += len(events); handled >= regather {
			_ = p.poll.Trigger()
			return false
		}
		if err := p.raw.Read(p.ask); err != nil || p.n < 0 {
			return false // netpoll waits, as it would without us
		}
		events = p.events[:p.n]
	}
}

// question takes the events that there are. Without one the goroutine waits and is to ask again.
func (p *parker[E]) question(fd uintptr) bool {
	for {
		n, err := p.take(int(fd), p.events, 0)
		if p.n = n; !errors.Is(err, unix.EINTR) {
			return n != 0
		}
	}
}
