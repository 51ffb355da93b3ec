package doctor

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// redisConn is one connection to Redis that speaks RESP 2: a question, an answer. The client library of the relay hides
// what an operator wants to know: the words of Redis.
type redisConn struct {
	conn net.Conn
	in   *bufio.Reader
}

// redisError is an error that Redis answered.
type redisError string

func (r redisError) Error() string { return string(r) }

// code is the first word of the error: NOPERM, WRONGPASS, …
func (r redisError) code() string {
	code, _, _ := strings.Cut(string(r), " ")
	return code
}

// Bounds of an answer; the largest that is asked for is INFO.
const (
	maxRedisText  = 1 << 20 // bytes
	maxRedisList  = 10_000  // elements
	maxRedisDepth = 8
)

var errRedisForm = errors.New("the answer is not one of Redis: is it another program's port, or one for TLS?")

// connect opens a connection, with TLS when config is not nil.
func (e redisServer) connect(ctx context.Context, address string, config *tls.Config) (*redisConn, error) {
	conn, err := e.probes.Dial(ctx, nil, address)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	if config != nil {
		if config.ServerName == "" {
			config = config.Clone()
			config.ServerName, _, _ = net.SplitHostPort(address)
		}
		secured := tls.Client(conn, config)
		if err := secured.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, fmt.Errorf("TLS handshake: %w", err)
		}
		conn = secured
	}
	return &redisConn{conn: conn, in: bufio.NewReader(conn)}, nil
}

func (c *redisConn) close() { _ = c.conn.Close() }

// do sends a command and returns the answer: string, int64, []any or nil. What Redis answers as an error is a
// redisError.
func (c *redisConn) do(words ...string) (any, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	_ = c.conn.SetDeadline(time.Now().Add(stepTimeout))
	if _, err := io.WriteString(c.conn, b.String()); err != nil {
		return nil, fmt.Errorf("send to redis: %w", err)
	}
	return c.read(0)
}

func (c *redisConn) read(depth int) (any, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = errHungUp
		}
		return nil, fmt.Errorf("read from redis: %w", err)
	}
	kind, text := line[0], strings.TrimRight(string(line[1:]), "\r\n")
	switch kind {
	case '+':
		return text, nil
	case '-':
		return nil, redisError(text)
	case ':', '$', '*':
		n, err := strconv.ParseInt(text, 10, 64)
		switch {
		case err != nil:
			return nil, errRedisForm
		case kind == ':':
			return n, nil
		case n < 0:
			return nil, nil
		case kind == '$' && n <= maxRedisText:
			return c.bulk(int(n))
		case kind == '*' && n <= maxRedisList && depth < maxRedisDepth:
			return c.list(int(n), depth+1)
		}
	}
	return nil, errRedisForm
}

func (c *redisConn) bulk(n int) (any, error) {
	text := make([]byte, n+2)
	if _, err := io.ReadFull(c.in, text); err != nil {
		return nil, fmt.Errorf("read from redis: %w", err)
	}
	return string(text[:n]), nil
}

func (c *redisConn) list(n, depth int) (any, error) {
	all := []any{}
	for range n {
		one, err := c.read(depth)
		var no redisError
		if err != nil && !errors.As(err, &no) {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// fields makes a map of an answer that is a list of names and values.
func fields(answer any) map[string]string {
	m := map[string]string{}
	list, _ := answer.([]any)
	for i := 0; i+1 < len(list); i += 2 {
		name, _ := list[i].(string)
		m[name] = fmt.Sprint(list[i+1])
	}
	return m
}

// info makes a map of the text of INFO.
func info(answer any) map[string]string {
	m := map[string]string{}
	text, _ := answer.(string)
	for row := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(row), ":"); ok {
			m[name] = value
		}
	}
	return m
}
