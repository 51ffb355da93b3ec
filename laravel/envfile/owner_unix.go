//go:build unix

package envfile

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner gives name the owner and group of the file that info describes.
func keepOwner(name string, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	own, err := os.Stat(name)
	if err != nil {
		return err
	}
	if now, ok := own.Sys().(*syscall.Stat_t); ok && now.Uid == stat.Uid && now.Gid == stat.Gid {
		return nil
	}
	return os.Chown(name, int(stat.Uid), int(stat.Gid))
}
