package listener

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// failingListener answers Accept with its errors, one after the other, and then waits for Close.
type failingListener struct {
	net.Listener
	errs   chan error
	closed chan struct{}
}

func (l *failingListener) Accept() (net.Conn, error) {
	select {
	case err := <-l.errs:
		if err == nil {
			here, _ := net.Pipe()
			return here, nil
		}
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: err}
	case <-l.closed:
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: net.ErrClosed}
	}
}

func (l *failingListener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9090}
}

func (l *failingListener) Close() error {
	close(l.closed)
	return nil
}

func TestAcceptGoesOnAfterFailures(t *testing.T) {
	for _, reason := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM} {
		t.Run(reason.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				bare := &failingListener{errs: make(chan error, 1000), closed: make(chan struct{})}
				var log bytes.Buffer
				failures := 0
				ln := Patient(bare, slog.New(slog.NewTextHandler(&log, nil)), func() { failures++ })
				for range 150 {
					bare.errs <- reason
				}
				bare.errs <- nil
				begun := time.Now()
				conn, err := ln.Accept()
				if err != nil {
					t.Fatalf("Accept: %v", err)
				}
				_ = conn.Close()
				if failures != 150 {
					t.Errorf("%d failures counted, want 150", failures)
				}
				// A second between two tries is what a listener may be late, and a processor can bear.
				if took := time.Since(begun); took < 140*time.Second || took > 150*time.Second {
					t.Errorf("150 failures took %v", took)
				}
				if lines := strings.Count(log.String(), "\n"); lines != 3 {
					t.Errorf("%d log lines in two and a half minutes, want 3\n%s", lines, log.String())
				}
				if !strings.Contains(log.String(), "127.0.0.1:9090") {
					t.Errorf("the log does not name the listener\n%s", log.String())
				}
			})
		})
	}
}

func TestAcceptEndsWithTheListener(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bare := &failingListener{errs: make(chan error, 1), closed: make(chan struct{})}
		ln := Patient(bare, slog.New(slog.DiscardHandler), func() {})
		ended := make(chan error, 1)
		bare.errs <- syscall.EMFILE
		go func() {
			_, err := ln.Accept()
			ended <- err
		}()
		synctest.Wait() // Accept waits after the failure
		begun := time.Now()
		_ = ln.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) || time.Since(begun) > 0 {
			t.Errorf("Accept ended with %v after %v", err, time.Since(begun))
		}
		if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept of a closed listener: %v", err)
		}
	})
}
