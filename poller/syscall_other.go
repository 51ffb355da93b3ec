//go:build !linux

package poller

import "golang.org/x/sys/unix"

func send(fd int, b []byte) (int, error) { return unix.Write(fd, b) }

func receive(fd int, b []byte) (int, error) { return unix.Read(fd, b) }
