//go:build !unix

package envfile

import "io/fs"

// keepOwner has nothing to keep: files inherit from their directory here.
func keepOwner(string, fs.FileInfo) error { return nil }
