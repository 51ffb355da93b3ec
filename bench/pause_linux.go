package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// pause keeps the calling thread for d or less (a signal ends it), to some 60 µs. Go's timers go by whole milliseconds here when the process is idle,
// for that is what its epoll_wait takes.
func pause(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
}
