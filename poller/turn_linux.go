package poller

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// NewTurn returns a function with which a goroutine that works for long lets all others have their turn, also those that Go's poller has
// something for. runtime.Gosched is not enough: as long as any goroutine can run the scheduler does not look at its poller, and only
// the monitor thread does, every 10 ms. The function may be called by one goroutine at a time.
//
// It waits in Go's poller for an eventfd that it has just written to. Level does not matter there: each write is news.
func NewTurn() func() {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return runtime.Gosched
	}
	file := os.NewFile(uintptr(fd), "turn")
	raw, err := file.SyscallConn()
	if err != nil {
		return runtime.Gosched
	}
	rung := false
	ring := func(fd uintptr) (over bool) {
		if rung {
			return true
		}
		rung = true
		one := uint64(1) // 2^64 turns are never taken
		_, _, errno := syscall.RawSyscall(unix.SYS_WRITE, fd, uintptr(unsafe.Pointer(&one)), unsafe.Sizeof(one))
		return errno != 0
	}
	return func() {
		rung = false
		if raw.Read(ring) != nil { // Go's poller has not taken it
			runtime.Gosched()
		}
	}
}
