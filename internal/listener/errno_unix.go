//go:build unix

package listener

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// errnoName is the symbolic name of a system error, such as EADDRINUSE.
func errnoName(number syscall.Errno) string { return unix.ErrnoName(number) }
