package config

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, ".env")
	if err := os.WriteFile(file, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	me := user(os.Getuid())
	for _, tc := range []struct {
		path  string
		cause syscall.Errno
		want  string
	}{
		{".env", syscall.EACCES, "read configuration: " + file + ": permission denied (this process runs as " + me +
			"; the file has mode -rw-r-----, belongs to " + me + ")"},
		{filepath.Join(dir, "hidden", ".env"), syscall.EACCES, "the folder " + dir + " has mode d"},
		{".env", syscall.EISDIR, "read configuration: " + file + ": is a directory"},
	} {
		err := unreadable(tc.path, &fs.PathError{Op: "open", Path: tc.path, Err: tc.cause})
		if !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got  %v\nwant %s", err, tc.want)
		}
	}
}
