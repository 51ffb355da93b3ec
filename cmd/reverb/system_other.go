//go:build !unix

package main

import "io/fs"

// ownerOf knows no owner: the directory of temporary files belongs to one user here.
func ownerOf(fs.FileInfo) (uid int, known bool) { return -1, false }

// keepOwner has nothing to keep: files inherit from their directory here.
func keepOwner(string, fs.FileInfo) error { return nil }
