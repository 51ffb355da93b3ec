//go:build !unix

package listener

import "syscall"

// errnoName is empty where errors have no symbolic names.
func errnoName(syscall.Errno) string { return "" }
