package handover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"
)

// mostChildren live at once: the one that serves, and those that still drain. Each costs memory.
const mostChildren = 4

// Options is what a Guardian is made of. All must be set but Notify and Watchdog.
type Options struct {
	Program  func() (Program, error) // what to start; asked at each handover
	Sockets  *Sockets
	Notify   func(state string) // tells the service manager; nil = there is none that listens
	Watchdog time.Duration      // how often the manager wants to hear; 0 = never
	Log      *slog.Logger
}

// Guardian starts the next process and stands in for it towards the service manager. It does nothing before the first
// Start. All methods may be called from any goroutine.
type Guardian struct {
	// Constant after NewGuardian.
	o     Options
	ended chan struct{} // closed when the serving child has ended

	running sync.WaitGroup

	mu       sync.Mutex
	children []*child
	serving  *child             // nil while this process does
	starting context.CancelFunc // nil when no child is being started
	status   int                // of the serving child, when ended is closed
}

// NewGuardian makes a guardian.
func NewGuardian(o Options) *Guardian {
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	return &Guardian{o: o, ended: make(chan struct{})}
}

// Start starts the next process and returns when that serves; the process that served until now must then leave. A
// process that is not ready within timeout is killed, and everything is as before.
func (g *Guardian) Start(ctx context.Context, timeout time.Duration) (pid int, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := g.spawn(cancel)
	if err != nil {
		return 0, err
	}
	g.o.Notify(reloading())
	err = g.await(ctx, c, timeout)
	g.o.Notify("READY=1")
	if err != nil {
		g.o.Log.Error("handover: the next server did not start, this one goes on", "pid", c.process.Pid, "err", err)
		return 0, err
	}
	g.o.Log.Info("handover: the next server has taken over", "pid", c.process.Pid)
	return c.process.Pid, nil
}

// spawn starts the process, if this is the moment for it.
func (g *Guardian) spawn(cancel context.CancelFunc) (*child, error) {
	program, err := g.o.Program()
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.starting != nil:
		return nil, errors.New("another handover is under way")
	case len(g.children) >= mostChildren:
		return nil, fmt.Errorf("%d earlier servers still send their clients away: try again when they have ended", len(g.children)-1)
	}
	c, err := spawn(program, g.o.Sockets, g.o.Watchdog)
	if err != nil {
		return nil, err
	}
	g.children = append(g.children, c)
	g.starting = cancel
	read := make(chan struct{})
	g.running.Go(func() { defer close(read); g.listen(c) })
	g.running.Go(func() { c.wait(read); g.gone(c) })
	return c, nil
}

// await returns when the child serves; otherwise the child has ended.
func (g *Guardian) await(ctx context.Context, c *child, timeout time.Duration) error {
	defer g.isStarted()
	select {
	case sockets := <-c.ready:
		return g.serveBy(c, sockets)
	case <-c.exited:
		return c.reason()
	case <-ctx.Done():
	}
	_ = c.process.Kill()
	<-c.exited
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("the new server was not ready within %v and was killed", timeout)
	}
	return errors.New("the server stops, so that the new one was given up")
}

// serveBy makes the child the one that serves. One that has ended since it said that it is ready will not be missed by
// gone any more.
func (g *Guardian) serveBy(c *child, sockets []socket) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-c.exited:
		closeAll(sockets)
		return c.reason()
	default:
	}
	g.serving = c
	g.o.Sockets.replace(sockets)
	return nil
}

func (g *Guardian) isStarted() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.starting = nil
}

// listen is the goroutine that reads what a child says.
func (g *Guardian) listen(c *child) {
	for {
		m, fds, err := c.wire.receive()
		if err != nil {
			return
		}
		if m.Kind == kindReady && len(fds) == len(m.Sockets) {
			g.isReady(c, m.Sockets, fds)
			continue
		}
		closeDescriptors(fds)
		switch m.Kind {
		case kindFailed:
			c.failure = m.Text
		case kindNext:
			g.running.Go(func() { g.relieve(c, m.Timeout) })
		case kindClosing:
			g.closing(c)
		case kindNotify:
			if g.serves(c) {
				g.o.Notify(m.Text)
			}
		}
	}
}

func (g *Guardian) isReady(c *child, entries []entry, fds []int) {
	sockets := make([]socket, len(fds))
	for i, fd := range fds {
		sockets[i] = socket{entries[i], fd}
	}
	select {
	case c.ready <- sockets:
	default:
		closeAll(sockets) // it was ready before
	}
}

// relieve starts the next process for a child and tells how that went.
func (g *Guardian) relieve(c *child, timeout time.Duration) {
	if !g.serves(c) {
		_ = c.wire.send(message{Kind: kindRefused, Text: "another server has taken over already"})
		return
	}
	pid, err := g.Start(context.Background(), timeout)
	if err != nil {
		_ = c.wire.send(message{Kind: kindRefused, Text: shortened(err.Error())})
		return
	}
	_ = c.wire.send(message{Kind: kindStarted, PID: pid})
}

func (g *Guardian) serves(c *child) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.serving == c
}

// closing gives the sockets up, with the child that serves: as long as anybody has them open, clients connect and
// nobody answers.
func (g *Guardian) closing(c *child) {
	if g.serves(c) {
		g.Abort()
		g.o.Sockets.Close()
	}
}

// gone takes a child that has ended out.
func (g *Guardian) gone(c *child) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.children = slices.DeleteFunc(g.children, func(other *child) bool { return other == c })
	if g.serving != c {
		return
	}
	if g.starting != nil {
		g.starting()
	}
	g.status = c.status()
	close(g.ended)
}

// Abort gives up the child that is being started, if there is one.
func (g *Guardian) Abort() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.starting != nil {
		g.starting()
	}
}

// Signal passes a signal on to all children. It goes over the link, so that they can tell it from one that a service
// manager sends to every process of the group: the two are one request.
func (g *Guardian) Signal(sig os.Signal) {
	number, ok := sig.(syscall.Signal)
	if !ok {
		return
	}
	g.mu.Lock()
	children := slices.Clone(g.children)
	g.mu.Unlock()
	for _, c := range children {
		_ = c.wire.send(message{Kind: kindSignal, Signal: int(number)})
	}
}

// Ended is closed when the child that served has ended by itself.
func (g *Guardian) Ended() <-chan struct{} { return g.ended }

// Status is the exit status of the child that served; valid when Ended is closed.
func (g *Guardian) Status() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.status
}

// Wait waits until all children have ended.
func (g *Guardian) Wait() { g.running.Wait() }
