//go:build !unix

package main

import (
	"io/fs"
	"syscall"
)

// errnoName knows no names here.
func errnoName(syscall.Errno) string { return "" }

// ownedByUs trusts the directory of temporary files, which belongs to one user here.
func ownedByUs(fs.FileInfo) bool { return true }

// keepOwner has nothing to keep: files inherit from their directory here.
func keepOwner(string, fs.FileInfo) error { return nil }
