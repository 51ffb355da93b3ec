package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"reverb/internal/testtool"
)

// another is a user that this process is not.
const another = 54321

const root = 0

// answering is a server that answers whatever is asked: a fake, or that of the user whose process runs the test.
func answering(t *testing.T, path string) (asked chan string) {
	t.Helper()
	return testtool.FakeSocket(t, path, "ok 127.0.0.1:8080 1\nreloaded\n")
}

func mkdir(t *testing.T, dir string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Chmod(dir, mode)); err != nil {
		t.Fatal(err)
	}
}

// fakeSocket is set in the environment of a process of this test that plays another user's server at the path.
const fakeSocket = "REVERB_TEST_FAKE_SOCKET"

// A socket that another user can have put at the default place gets no command, and its answer is not believed.
func TestUntrustedControlSockets(t *testing.T) {
	for _, tc := range []struct {
		name string
		fake func(t *testing.T, dir string) // puts something in the place of the folder
		want string
	}{
		{"a folder that is open to all", func(t *testing.T, dir string) { mkdir(t, dir, 0o777) }, "open to other users (mode 0777)"},
		{"a folder that is open to a group", func(t *testing.T, dir string) { mkdir(t, dir, 0o770) }, "open to other users (mode 0770)"},
		{"a symbolic link to a folder", func(t *testing.T, dir string) {
			mkdir(t, dir+"-elsewhere", 0o700)
			if err := os.Symlink(dir+"-elsewhere", dir); err != nil {
				t.Fatal(err)
			}
		}, "a symbolic link"},
	} {
		for _, command := range []string{"restart", "reload"} {
			t.Run(command+" "+tc.name, func(t *testing.T) {
				env := environ(t)
				dir := socketDir(env)
				tc.fake(t, dir)
				asked := answering(t, filepath.Join(dir, "reverb-8080.sock"))
				var out, errOut bytes.Buffer
				code := run([]string{"reverb", command, "--port", "8080"}, process{stdout: &out, stderr: &errOut, environ: env})
				if code != 1 || !strings.Contains(errOut.String(), tc.want) || !strings.Contains(errOut.String(), dir) {
					t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
				}
				select {
				case line := <-asked:
					t.Errorf("the fake was told %q", line)
				default:
				}
			})
		}
	}
}

// A fake beside the server is shown, and hinders nobody.
func TestFakeBesideTheServer(t *testing.T) {
	env := environ(t)
	c := controlForTest(t, env, 8080, "127.0.0.1:8080")
	env = append(env[:1:1], "TMPDIR="+t.TempDir())
	fake := filepath.Join(strings.TrimPrefix(env[1], "TMPDIR="), filepath.Base(socketDir(env)))
	mkdir(t, fake, 0o777)
	asked := answering(t, filepath.Join(fake, "reverb-8080.sock"))
	var out, errOut bytes.Buffer
	done := make(chan int)
	go func() {
		done <- run([]string{"reverb", "restart", "--port", "8080"}, process{stdout: &out, stderr: &errOut, environ: env})
	}()
	<-c.orders.Restart()
	c.finish()
	if code := <-done; code != 0 || !strings.Contains(out.String(), "not asked: "+fake) {
		t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
	}
	if len(asked) > 0 {
		t.Error("the fake was asked")
	}
}

// playFake is the whole life of such a process. It ends with its standard input.
func playFake() bool {
	path := os.Getenv(fakeSocket)
	if path == "" {
		return false
	}
	ln, err := net.Listen("unix", path)
	if err == nil {
		err = os.Chmod(path, 0o666)
	}
	if err != nil {
		fmt.Println(err)
		return true
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("ok 127.0.0.1:8080 1\nreloaded\n"))
			_, _ = conn.Read(make([]byte, 64))
			_ = conn.Close()
		}
	}()
	fmt.Println("ready")
	_, _ = os.Stdin.Read(make([]byte, 1))
	return true
}

// Only root can start a process of another user, so that others test the parts of this only.
func TestFakeControlSocket(t *testing.T) {
	if os.Getuid() != root {
		testtool.Missing(t, "only root can start a process of another user")
	}
	env := environ(t)
	base := strings.TrimPrefix(env[1], "TMPDIR=")
	if err := os.Chmod(base, 0o777|os.ModeSticky); err != nil { // as /tmp is
		t.Fatal(err)
	}
	protected := filepath.Join(base, "protected")
	mkdir(t, protected, 0o755)
	theirs := filepath.Join(protected, "theirs")
	mkdir(t, theirs, 0o755)
	own := socketDir(env)
	mkdir(t, own, 0o700)
	if err := errors.Join(os.Chown(theirs, another, another), os.Chown(own, another, another)); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, path string
		named      bool
		believed   bool
	}{
		{"in a folder that it made at the default place", filepath.Join(own, "reverb-8080.sock"), false, false},
		{"named, where any user may write", filepath.Join(base, "s"), true, false},
		{"named, in its own folder, which root gave it", filepath.Join(theirs, "s"), true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			playAs(t, another, tc.path)
			dir := t.TempDir()
			args := []string{"reverb", "reload", "--port", "8080"}
			if tc.named {
				file := filepath.Join(dir, "config.toml")
				text := fmt.Sprintf("[server]\ncontrol_socket = %q\n[[apps]]\napp_id = \"1\"\nkey = \"k\"\nsecret = \"s\"\n", tc.path)
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				args = []string{"reverb", "reload", "--config", file}
			}
			var out, errOut bytes.Buffer
			code := run(args, process{stdout: &out, stderr: &errOut, environ: env})
			if believed := code == 0; believed != tc.believed {
				t.Errorf("exit code %d\n%s%s", code, out.String(), errOut.String())
			}
			if !tc.believed && !strings.Contains(errOut.String(), "uid 54321") {
				t.Errorf("the user is not named\n%s", errOut.String())
			}
		})
	}
}

// playAs starts a fake server of the user.
func playAs(t *testing.T, uid uint32, path string) {
	t.Helper()
	program, err := os.ReadFile(os.Args[0]) // is in a folder that only we may enter
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "fake")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	copied := filepath.Join(dir, "fake")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(copied, program, 0o755), os.Chmod(copied, 0o755)); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(copied)
	cmd.Env = append(os.Environ(), fakeSocket+"="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	line := make([]byte, 256)
	if n, err := out.Read(line); err != nil || string(line[:n]) != "ready\n" {
		t.Fatalf("the fake says %q, %v", line[:n], err)
	}
}
