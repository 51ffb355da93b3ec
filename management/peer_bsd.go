//go:build darwin || freebsd

package management

import "golang.org/x/sys/unix"

// peerOf returns the user of the process at the other end of a Unix socket: the one that listens, when this end has
// dialled.
func peerOf(fd int) (uid int, err error) {
	credentials, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return -1, err
	}
	return int(credentials.Uid), nil
}
