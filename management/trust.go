package management

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"reverb/internal/account"
)

const root = 0

// trust says whose sockets and folders the user uid believes: its own and root's. A command sends a server away and
// shows what it answers, so that it must not talk to a socket that another user has put where that of the server is
// looked for.
type trust struct{ uid int }

// ours is the trust of this process.
func ours() trust { return trust{os.Getuid()} }

func (t trust) user(uid int) bool { return uid == t.uid || uid == root }

// folder reports what is wrong with a folder at a default place: in a shared folder for temporary files any user may
// have made it first.
func (t trust) folder(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner, known := ownerOf(info)
	switch {
	case !info.IsDir():
		return fmt.Errorf("%s is not a folder of its own but %s; remove it", dir, fileKind(info))
	case known && !t.user(owner):
		return fmt.Errorf("%s belongs to %s; remove it, or set server.control_socket to a path of your own", dir, userOf(owner))
	case known && info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to other users (mode %04o); run chmod 700 on it", dir, info.Mode().Perm())
	}
	return nil
}

// socket reports what is wrong with a file at a default place that should be the socket of a server.
func (t trust) socket(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is not a socket but %s", path, fileKind(info))
	}
	if owner, known := ownerOf(info); known && !t.user(owner) {
		return fmt.Errorf("%s belongs to %s", path, userOf(owner))
	}
	return nil
}

// peer reports what is wrong with the process behind a connection. named is the path that the configuration gives, or
// empty: there the server may be another user's, when nobody but its owner and root can have put a socket in its place.
func (t trust) peer(conn net.Conn, named string) error {
	uid, err := peerUID(conn)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil // the owners of the files must do
	}
	if err != nil {
		return fmt.Errorf("ask whose process listens: %w", err)
	}
	if t.user(uid) {
		return nil
	}
	if named == "" {
		return fmt.Errorf("the process that listens belongs to %s: it is not your server", userOf(uid))
	}
	info, err := os.Stat(named)
	if err != nil {
		return err
	}
	if owner, known := ownerOf(info); known && owner != uid {
		return fmt.Errorf("the process that listens belongs to %s and the socket to %s", userOf(uid), userOf(owner))
	}
	if open, err := t.exposed(named); err != nil || open != "" {
		return errors.Join(err, fmt.Errorf("it belongs to %s, and any user may put a socket there (%s): move server.control_socket to a folder that "+
			"only the server's user can write to, or run this command as that user", userOf(uid), open))
	}
	return nil
}

// peerUID returns the user of the process at the other end of a Unix socket.
func peerUID(conn net.Conn) (uid int, err error) {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return -1, errors.ErrUnsupported
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return -1, err
	}
	var askErr error
	err = raw.Control(func(fd uintptr) { uid, askErr = peerOf(int(fd)) })
	return uid, errors.Join(err, askErr)
}

// exposed returns the first folder on the way to path in which any user could put another file in the place of the next
// one; empty when there is none. In a folder with the sticky bit those are safe that belong to the user or to root.
func (t trust) exposed(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	for _, way := range []string{path, resolved} {
		for next := way; next != filepath.Dir(next); next = filepath.Dir(next) {
			dir := filepath.Dir(next)
			folder, err := os.Stat(dir)
			if err != nil {
				return "", err
			}
			if folder.Mode().Perm()&0o002 == 0 {
				continue
			}
			file, err := os.Lstat(next)
			if err != nil {
				return "", err
			}
			if owner, known := ownerOf(file); folder.Mode()&fs.ModeSticky == 0 || known && !t.user(owner) {
				return dir, nil
			}
		}
	}
	return "", nil
}

// fileKind names what is no folder or socket.
func fileKind(info fs.FileInfo) string {
	switch info.Mode().Type() {
	case 0:
		return "a file"
	case fs.ModeDir:
		return "a folder"
	case fs.ModeSymlink:
		return "a symbolic link"
	default:
		return "a special file"
	}
}

// userOf is "user NAME (uid 33)".
func userOf(uid int) string {
	if name, ok := account.Name(uid); ok {
		return fmt.Sprintf("user %s (uid %d)", name, uid)
	}
	return fmt.Sprintf("the user with uid %d", uid)
}
