package bench

import (
	"context"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// alarms are timerfds in the runtime's poller, lent to goroutines that wait.
var alarms = sync.Pool{New: func() any {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return (*alarm)(nil)
	}
	return &alarm{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}
}}

// alarm wakes one goroutine at a time.
type alarm struct {
	fd   int
	file *os.File // owns fd
	rung [8]byte
}

// pause keeps the calling goroutine for d, to some 60 µs. Go's timers go by whole milliseconds here when the process is idle, for that is what
// its epoll_wait takes. A nanosleep would keep the processor from the other publishers and from the loops: at 1,000 events a second, four
// publishers on two processors, answers were read a millisecond late.
func pause(d time.Duration) {
	a := alarms.Get().(*alarm)
	if a == nil || unix.TimerfdSettime(a.fd, 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))}, nil) != nil {
		delay(context.Background(), d)
		return
	}
	_, _ = a.file.Read(a.rung[:])
	alarms.Put(a)
}
