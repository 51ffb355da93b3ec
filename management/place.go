package management

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"reverb/internal/envlist"
	"reverb/node/handover"
)

// dialTimeout bounds the search for a running server behind a socket.
const dialTimeout = 2 * time.Second

// folders are the directories where sockets are by default, the preferred one first. A server under a process manager
// often has no XDG_RUNTIME_DIR where the shell of its operator has one, so that `reverb restart` looks at all of them.
func folders(environ []string) []string {
	name := "reverb-" + strconv.Itoa(os.Getuid())
	var dirs []string
	if runtime := envlist.Get(environ, "XDG_RUNTIME_DIR"); filepath.IsAbs(runtime) {
		dirs = append(dirs, filepath.Join(runtime, name))
	}
	return slices.Compact(append(dirs, filepath.Join(tempDir(environ), name)))
}

func tempDir(environ []string) string {
	if dir := envlist.Get(environ, "TMPDIR"); dir != "" {
		return dir
	}
	return os.TempDir()
}

// fileName is that of the socket of the server that listens on port.
func fileName(port string) string { return "reverb-" + port + ".sock" }

// listen makes the socket, or takes over that of the process before: at path when the operator chose one, else at the
// default place. A configured socket can be used by the group of the server, so that a deploy user in that group can
// restart it; others only by the server's own user.
func listen(sockets *handover.Sockets, path string, environ []string, port int) (*net.UnixListener, error) {
	mode := fs.FileMode(0o660)
	private := path == ""
	if private {
		path, mode = filepath.Join(folders(environ)[0], fileName(strconv.Itoa(port))), 0o600
	}
	found, err := sockets.Listen(handover.Control, path, func() (net.Listener, error) {
		if private {
			if err := makePrivate(filepath.Dir(path)); err != nil {
				return nil, err
			}
		}
		return open(path, mode)
	})
	if err != nil {
		return nil, err
	}
	ln, ok := found[0].(*net.UnixListener)
	if !ok || len(found) > 1 {
		for _, ln := range found {
			_ = ln.Close()
		}
		return nil, errors.New("the service manager has to give one Unix socket for it")
	}
	return ln, nil
}

// open makes the socket in the place of one that is stale.
func open(path string, mode fs.FileMode) (net.Listener, error) {
	ln, err := listenUnix(path)
	if errors.Is(err, syscall.EADDRINUSE) {
		if err = removeStale(path); err == nil {
			ln, err = listenUnix(path)
		}
	}
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, mode); err != nil {
		_ = ln.Close()
		return nil, err
	}
	return ln, nil
}

func listenUnix(path string) (net.Listener, error) {
	return new(net.ListenConfig).Listen(context.Background(), "unix", path)
}

// makePrivate creates dir for our user alone. One that exists must be like that: in a shared directory of temporary
// files, anybody could have been first.
func makePrivate(dir string) error {
	if err := os.Mkdir(dir, 0o700); err == nil || !errors.Is(err, fs.ErrExist) {
		return err
	}
	return ours().folder(dir)
}

// removeStale removes a socket without a listener: that of a server which was killed.
func removeStale(path string) error {
	conn, err := dial(path)
	if err == nil {
		_ = conn.Close()
		return fmt.Errorf("%s belongs to another running server", path)
	}
	info, statErr := os.Lstat(path)
	if statErr != nil {
		return statErr
	}
	if !errors.Is(err, syscall.ECONNREFUSED) || info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is in the way: %w", path, err)
	}
	return os.Remove(path)
}

func dial(path string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	return dialer.DialContext(context.Background(), "unix", path)
}
