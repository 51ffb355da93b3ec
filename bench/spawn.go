package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	upTimeout   = 20 * time.Second // for a spawned server to listen
	downTimeout = 15 * time.Second // for it to end after SIGTERM; then it is killed
	outputLimit = 8 << 10          // bytes of its output that are kept for an error
)

// child is a server that the bench started, and stops.
type child struct {
	cmd    *exec.Cmd
	output tail
	exited chan struct{} // closed when it has ended
	err    error         // how it ended; to be read after exited
}

// spawn starts s.Spawn in a shell and waits until it listens. {host}, {port}, {publish_port}, {path}, {app_id}, {key} and {secret} in the command are filled in,
// and the environment has Reverb's variables, so that `reverb start` and `php artisan reverb:start` need no more. The server returned has
// the address and the pid.
func spawn(ctx context.Context, s Server) (*child, Server, error) {
	cpus, err := parseCPUs(s.CPUs)
	if err != nil {
		return nil, s, err
	}
	var port string
	if s.Addr, port, err = settled(s.Addr); err != nil {
		return nil, s, err
	}
	host, _, _ := net.SplitHostPort(s.Addr)
	var publishPort string
	if s.Publish != "" {
		if s.Publish, publishPort, err = settled(s.Publish); err != nil {
			return nil, s, err
		}
	}
	command := strings.NewReplacer("{host}", host, "{port}", port, "{publish_port}", publishPort, "{path}", s.Path,
		"{app_id}", s.AppID, "{key}", s.Key, "{secret}", s.Secret).Replace(s.Spawn)
	c := &child{cmd: exec.Command("/bin/sh", "-c", "exec "+command), exited: make(chan struct{})}
	c.cmd.Env = append(os.Environ(), "REVERB_SERVER_HOST="+host, "REVERB_SERVER_PORT="+port, "REVERB_SERVER_PATH="+s.Path,
		"REVERB_APP_ID="+s.AppID, "REVERB_APP_KEY="+s.Key, "REVERB_APP_SECRET="+s.Secret)
	c.cmd.Stdout, c.cmd.Stderr = &c.output, &c.output
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt in the terminal is for us, not for it
	c.cmd.WaitDelay = time.Second
	if err := startOn(c.cmd, cpus); err != nil {
		return nil, s, fmt.Errorf("start the server: %w", err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	for _, addr := range []string{s.Addr, s.api().Addr} {
		if err := c.listens(ctx, addr); err != nil {
			c.stop()
			return nil, s, err
		}
	}
	s.PID = c.cmd.Process.Pid
	return c, s, nil
}

// listens waits until someone accepts at addr.
func (c *child) listens(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, upTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err == nil {
			_ = conn.Close()
			return nil
		}
		select {
		case <-c.exited:
			return fmt.Errorf("start the server: it ended: %w\n%s", errors.Join(c.err), c.output.String())
		case <-ctx.Done():
			return fmt.Errorf("start the server: nothing listens at %s: %w\n%s", addr, err, c.output.String())
		case <-tick.C:
		}
	}
}

// stop ends the server and what it started.
func (c *child) stop() {
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGTERM)
	timer := time.NewTimer(downTimeout)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
	}
	_ = syscall.Kill(-c.cmd.Process.Pid, syscall.SIGKILL)
	<-c.exited
}

// settled is addr with a free port for port 0.
func settled(addr string) (settled, port string, err error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", "", fmt.Errorf("start the server: %w", err)
	}
	if port == "0" {
		port, err = freePort(host)
	}
	return net.JoinHostPort(host, port), port, err
}

// freePort is a port that nobody listens on.
func freePort(host string) (string, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte // guarded by mu
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - outputLimit; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
