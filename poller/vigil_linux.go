package poller

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/cloudwego/netpoll"
	"golang.org/x/sys/unix"
)

// Vigil keeps the loop of a process with one processor awake while other goroutines wait for that processor. A loop that finds nothing
// to do sleeps in a system call and takes the processor with it until the runtime's monitor notices, 20 µs to 10 ms later. netpoll yields
// once before, which is not enough: whoever yields in between comes after, and one time in 61 the scheduler gives the turn straight back.
// Events to 15 channels of 1,000 that need half of the processor came 21 to 117 ms late at p99, and come 14 to 18 ms late with this.
//
// With more processors others go on meanwhile, and there is no Vigil: a nil one does nothing.
type Vigil struct {
	file *os.File            // owns fd, for as long as anybody can call Set
	fd   int                 // an eventfd: readable while it is on
	op   *netpoll.FDOperator // once a loop waits for it
}

// NewVigil returns nil where there is more than one processor. It is for the Config of one Poller, whose Shutdown ends it.
func NewVigil() (*Vigil, error) {
	if runtime.GOMAXPROCS(0) > 1 {
		return nil, nil //nolint:nilnil // nil is one
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open eventfd: %w", err)
	}
	return &Vigil{file: os.NewFile(uintptr(fd), "vigil"), fd: fd}, nil
}

// Set says whether somebody waits: true and false in turn. It may be called under any lock.
func (v *Vigil) Set(on bool) {
	if v == nil {
		return
	}
	number, count := uintptr(unix.SYS_READ), uint64(1)
	if on {
		number = unix.SYS_WRITE
	}
	// Neither waits, as a false comes after a true. A system call that the scheduler knows of could cost the caller the processor.
	_, _, _ = syscall.RawSyscall(number, uintptr(v.fd), uintptr(unsafe.Pointer(&count)), unsafe.Sizeof(count))
}

// keep lets l be awake while v is on. l has its sockets first: publishes that come together go out together.
func (v *Vigil) keep(l *loop) error {
	if v == nil {
		return nil
	}
	v.op = l.poll.Alloc()
	v.op.FD = v.fd
	var seen uint32
	v.op.OnRead = func(netpoll.Poll) error {
		if seen == l.turns { // nothing was read since
			runtime.Gosched()
		}
		seen = l.turns
		return nil
	}
	v.op.OnHup = func(netpoll.Poll) error { return nil }
	return l.poll.Control(v.op, netpoll.PollReadable)
}

func (v *Vigil) end() {
	if v == nil {
		return
	}
	_ = v.op.Control(netpoll.PollDetach)
	v.op.Free()
}
