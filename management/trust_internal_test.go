package management

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"reverb/internal/testtool"
)

// another is a user that this process is not.
const another = 54321

// answering is a server that answers whatever is asked: a fake, or that of the user whose process runs the test.
func answering(t *testing.T, path string) (asked chan string) {
	t.Helper()
	return testtool.FakeSocket(t, path, "ok 127.0.0.1:8080 1\nreloaded\n")
}

func TestTrust(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s")
	answering(t, path)
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	own := foreign(t, dir, path)
	mine, theirs := trust{own}, trust{another}
	if err := errors.Join(mine.folder(dir), mine.socket(path)); err != nil {
		t.Errorf("the owner's: %v", err)
	}
	for what, err := range map[string]error{"folder": theirs.folder(dir), "socket": theirs.socket(path)} {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("uid %d", own)) {
			t.Errorf("another user's %s: %v", what, err)
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"file", "link"} {
		if err := mine.socket(filepath.Join(dir, name)); err == nil || !strings.Contains(err.Error(), "not a socket") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// foreign gives the files to a user that is not root, which everybody trusts, and returns the user.
func foreign(t *testing.T, names ...string) int {
	t.Helper()
	if uid := os.Getuid(); uid != root {
		return uid
	}
	const uid = another + 1
	for _, name := range names {
		if err := os.Lchown(name, uid, -1); err != nil {
			t.Fatal(err)
		}
	}
	return uid
}

// In a folder where any user may create files, only the sticky bit and the owner keep a socket from being another one.
func TestExposedFolders(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(base, "shared")
	mkdir(t, shared, 0o777)
	inner := filepath.Join(shared, "inner")
	mkdir(t, inner, 0o755)
	path := filepath.Join(inner, "s")
	answering(t, path)
	link := filepath.Join(base, "link")
	if err := os.Symlink(inner, link); err != nil {
		t.Fatal(err)
	}
	own := foreign(t, shared, inner, path)
	for _, tc := range []struct {
		name  string
		user  int
		mode  os.FileMode
		path  string
		where string // exposed
	}{
		{"all may write", own, 0o777, path, shared},
		{"all may write, own folder within and sticky", own, 0o777 | os.ModeSticky, path, ""},
		{"all may write, another's folder within and sticky", another, 0o777 | os.ModeSticky, path, shared},
		{"through a link", another, 0o777 | os.ModeSticky, filepath.Join(link, "s"), shared},
		{"nobody else may write", another, 0o755, path, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.Chmod(shared, tc.mode); err != nil {
				t.Fatal(err)
			}
			got, err := trust{tc.user}.exposed(tc.path)
			if got != tc.where || err != nil {
				t.Errorf("exposed at %q, %v; want %q", got, err, tc.where)
			}
		})
	}
}

func TestPeer(t *testing.T) {
	// Not below the folder of temporary files, where any user can put a socket.
	dir, err := os.MkdirTemp(".", "peer")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	answering(t, path)
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	uid, err := peerUID(conn)
	if err != nil || uid != os.Getuid() {
		t.Fatalf("the peer is %d, %v; want %d", uid, err, os.Getuid())
	}
	if err := ours().peer(conn, ""); err != nil {
		t.Errorf("a server of ours: %v", err)
	}
	if uid == root {
		return // another user trusts root: the rest is for TestFakeControlSocket
	}
	if err := (trust{another}).peer(conn, ""); err == nil || !strings.Contains(err.Error(), "not your server") {
		t.Errorf("another user's server at the default place: %v", err)
	}
	if err := (trust{another}).peer(conn, path); err != nil {
		t.Errorf("another user's server at a place that the configuration names: %v", err)
	}
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
}
