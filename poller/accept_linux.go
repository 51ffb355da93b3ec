package poller

import "golang.org/x/sys/unix"

// acceptSocket returns the next connection, non-blocking and closed on exec.
func acceptSocket(fd int) (int, unix.Sockaddr, error) {
	return unix.Accept4(fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
}
