package testtool

import (
	"net"
	"testing"
)

// FakeSocket is a server at a Unix socket that gives every caller the same answer, whatever it asks. Asked has the first line, or as much of it
// as came at once, of each of them.
func FakeSocket(t *testing.T, path, answer string) (asked chan string) {
	t.Helper()
	ln, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	asked = make(chan string, 16)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			line := make([]byte, 64)
			if n, _ := conn.Read(line); n > 0 {
				asked <- string(line[:n])
			}
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}()
	return asked
}
