//go:build linux

package poller

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

func TestVigilIsReadableWhileItIsOn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	v, err := NewVigil()
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []bool{false, true, false, true} {
		if on {
			v.Set(true)
		}
		fds := []unix.PollFd{{Fd: int32(v.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, 0); err != nil || n == 1 != on {
			t.Errorf("%d readable, %v, want %v", n, err, on)
		}
		if on {
			v.Set(false)
		}
	}
}
