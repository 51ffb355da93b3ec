package handover

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	wireTimeout = 5 * time.Second // for the other end to take a message
	longestLine = 64 << 10        // bytes
	longestText = 4 << 10         // bytes of an error that the other end shows
)

// The kinds of messages. From the child: ready, failed, next, closing, notify. From the guardian: started, refused,
// signal.
const (
	kindReady   = "ready"   // it serves; the sockets come along
	kindFailed  = "failed"  // it could not start; Text says why
	kindNext    = "next"    // it wants to be relieved within Timeout
	kindClosing = "closing" // it stops for good: the ports must close
	kindNotify  = "notify"  // Text is for the service manager
	kindStarted = "started" // the next one serves as PID
	kindRefused = "refused" // there is no next one; Text says why
	kindSignal  = "signal"  // the guardian got Signal
)

type message struct {
	Kind    string        `json:"kind"`
	Text    string        `json:"text,omitempty"`
	PID     int           `json:"pid,omitempty"`
	Signal  int           `json:"signal,omitempty"`
	Timeout time.Duration `json:"timeout,omitempty"`
	Sockets []entry       `json:"sockets,omitempty"`
}

// wire is one end of a link.
type wire struct {
	conn *net.UnixConn
	mu   sync.Mutex // held while a message is written

	// Owned by the one goroutine that receives.
	rest []byte
	fds  []int // that came and belong to the next message
}

// send may be called from any goroutine. The descriptors stay the caller's.
func (w *wire) send(m message, fds ...int) error {
	line, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	var rights []byte
	if len(fds) > 0 {
		rights = unix.UnixRights(fds...)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = w.conn.SetWriteDeadline(time.Now().Add(wireTimeout))
	line = append(line, '\n')
	n, _, err := w.conn.WriteMsgUnix(line, rights, nil)
	if err == nil && n < len(line) {
		_, err = w.conn.Write(line[n:])
	}
	return err
}

// receive waits for the next message. The descriptors that came with it are the caller's to close.
func (w *wire) receive() (m message, fds []int, err error) {
	for {
		if line, rest, ok := bytes.Cut(w.rest, []byte("\n")); ok {
			w.rest = rest
			fds, w.fds = w.fds, nil
			if err := json.Unmarshal(line, &m); err != nil {
				closeDescriptors(fds)
				return m, nil, fmt.Errorf("decode message: %w", err)
			}
			return m, fds, nil
		}
		if len(w.rest) > longestLine {
			return m, nil, fmt.Errorf("a message of more than %d bytes", longestLine)
		}
		if err := w.read(); err != nil {
			closeDescriptors(w.fds)
			w.fds = nil
			return m, nil, err
		}
	}
}

func (w *wire) read() error {
	data, rights := make([]byte, 4096), make([]byte, unix.CmsgSpace(4*mostGiven))
	n, nRights, _, _, err := w.conn.ReadMsgUnix(data, rights)
	if err != nil {
		return err
	}
	if n == 0 {
		return net.ErrClosed
	}
	w.rest = append(w.rest, data[:n]...)
	messages, err := unix.ParseSocketControlMessage(rights[:nRights])
	if err != nil {
		return fmt.Errorf("read descriptors: %w", err)
	}
	for i := range messages {
		fds, err := unix.ParseUnixRights(&messages[i])
		if err != nil {
			return fmt.Errorf("read descriptors: %w", err)
		}
		for _, fd := range fds {
			unix.CloseOnExec(fd)
		}
		w.fds = append(w.fds, fds...)
	}
	return nil
}

func closeDescriptors(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}

func shortened(text string) string { return text[:min(len(text), longestText)] }
