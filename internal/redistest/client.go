package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Do executes a command on a connection of its own and returns the reply: nil, int64, string, []any or error. With a password among the
// arguments of the server it is given.
func (s *Server) Do(args ...string) any {
	c, err := net.DialTimeout("tcp", s.Addr, 2*time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	r := bufio.NewReader(c)
	if s.password != "" {
		if err, failed := roundTrip(c, r, "AUTH", s.password).(error); failed {
			return err
		}
	}
	return roundTrip(c, r, args...)
}

func roundTrip(w io.Writer, r *bufio.Reader, args ...string) any {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	return readReply(r)
}

// readReply reads one reply of RESP2.
func readReply(r *bufio.Reader) any {
	line, err := r.ReadString('\n')
	if err != nil {
		return err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return errors.New("empty reply")
	}
	n, _ := strconv.ParseInt(line[1:], 10, 64)
	switch line[0] {
	case '+':
		return line[1:]
	case '-':
		return errors.New(line[1:])
	case ':':
		return n
	case '$':
		if n < 0 {
			return nil
		}
		p := make([]byte, n+2)
		if _, err := io.ReadFull(r, p); err != nil {
			return err
		}
		return string(p[:n])
	case '*':
		if n < 0 {
			return nil
		}
		all := make([]any, n)
		for i := range all {
			all[i] = readReply(r)
		}
		return all
	}
	return fmt.Errorf("unknown reply %q", line)
}
