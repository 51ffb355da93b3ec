package handover

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// Process is this process as one of a row of processes that serve one after the other: what it was given by the one
// before it, and what starts the one after it. The first of the row is the guardian of all the others. Its methods
// belong to the goroutine that runs the node, but for Notify and StartNext.
type Process struct {
	sockets  *Sockets
	link     *Link     // to the guardian; nil: this process is the first
	guardian *Guardian // nil in the others
	notifier *Notifier // likewise
	log      *slog.Logger
}

// NewProcess takes what the process was given. args are those that the next process is started with.
func NewProcess(args, environ []string, log *slog.Logger) (*Process, error) {
	sockets, link, err := Inherit(environ)
	if err != nil {
		return nil, err
	}
	p := &Process{sockets: sockets, link: link, log: log}
	if link != nil {
		return p, nil
	}
	program, err := Self(args, environ)
	p.notifier = NewNotifier(environ)
	p.guardian = NewGuardian(Options{
		Program:  func() (Program, error) { return program, err },
		Sockets:  sockets,
		Notify:   p.notifier.Notify,
		Watchdog: p.notifier.Watchdog(),
		Log:      log,
	})
	return p, nil
}

// First reports whether this is the first process of the row.
func (p *Process) First() bool { return p.link == nil }

// Sockets are the listeners of the row.
func (p *Process) Sockets() *Sockets { return p.sockets }

// Listen returns the TCP listeners for a purpose: given ones, or the one that open makes.
func (p *Process) Listen(name, address string, open func() (net.Listener, error)) ([]*net.TCPListener, error) {
	found, err := p.sockets.Listen(name, address, open)
	if err != nil {
		return nil, err
	}
	var all []*net.TCPListener
	for _, ln := range found {
		tcp, ok := ln.(*net.TCPListener)
		if !ok {
			for _, ln := range found {
				_ = ln.Close()
			}
			return nil, fmt.Errorf("the service manager gave %s for %s: want a TCP socket", ln.Addr(), name)
		}
		all = append(all, tcp)
	}
	return all, nil
}

// Ready tells that this process serves.
func (p *Process) Ready() error {
	if p.First() {
		p.Notify("READY=1")
		return nil
	}
	if err := p.link.Ready(p.sockets); err != nil {
		return fmt.Errorf("tell the guardian: %w", err)
	}
	return nil
}

// Notify tells the service manager, which listens to the first process only.
func (p *Process) Notify(state string) {
	if !p.First() {
		p.link.Notify(state)
		return
	}
	p.notifier.Notify(state)
}

// Watchdog is how often the service manager wants to hear that all is well; 0 = never.
func (p *Process) Watchdog() time.Duration {
	if !p.First() {
		return p.link.Watchdog()
	}
	return p.notifier.Watchdog()
}

// StartNext starts the process that serves next and returns its pid when it does.
func (p *Process) StartNext(ctx context.Context, timeout time.Duration) (pid int, err error) {
	if !p.First() {
		return p.link.Start(ctx, timeout)
	}
	return p.guardian.Start(ctx, timeout)
}

// Signals are those that the guardian passes on.
func (p *Process) Signals() <-chan os.Signal {
	if p.First() {
		return nil
	}
	return p.link.Signals()
}

// Orphaned is closed when the guardian of this process has gone.
func (p *Process) Orphaned() <-chan struct{} {
	if p.First() {
		return nil
	}
	return p.link.Lost()
}

// NextEnded is closed when the process that took over from this one has ended.
func (p *Process) NextEnded() <-chan struct{} {
	if !p.First() {
		return nil
	}
	return p.guardian.Ended()
}

// Pass gives a signal to the processes that this one has started.
func (p *Process) Pass(sig os.Signal) {
	if p.First() {
		p.guardian.Signal(sig)
	}
}

// LeaveSockets closes this process's share of the sockets after a handover; the guardian has them too, and keeps them.
func (p *Process) LeaveSockets() {
	if !p.First() {
		p.sockets.Close()
	}
}

// GiveUp closes the sockets at the end of the last process of the row. A process that has handed over leaves them to
// the guardian.
func (p *Process) GiveUp() {
	p.sockets.Close()
	if !p.First() {
		p.link.Closing()
	}
}

// Guard is the rest of the life of a first process that has handed over: it stands in for the one that serves, and ends
// as that does. It returns the exit status of the row. In another process it returns at once.
func (p *Process) Guard(signals <-chan os.Signal) (status int) {
	if !p.First() {
		return 0
	}
	debug.FreeOSMemory()
	stopping := false
	for {
		select {
		case sig := <-signals:
			stopping = stopping || Stops(sig)
			if sig != syscall.SIGPIPE {
				p.guardian.Signal(sig)
			}
		case <-p.guardian.Ended():
			if stopping {
				p.guardian.Wait() // those that still drain were asked too
			}
			p.sockets.Close()
			status := p.guardian.Status()
			if status != 0 {
				p.log.Error("the server has ended", "status", status)
			}
			return status
		}
	}
}

// End is the last thing that a process does: it tells the guardian the error that it ends with, if there is one.
func (p *Process) End(err error) {
	if p.First() {
		return
	}
	if err != nil {
		p.link.Failed(err)
	}
	p.link.Close()
}

// Stops tells a request to stop from the signals that would end a program that does not catch them: a terminal that was
// closed, and a log reader that has gone, are no reason to disconnect everybody.
func Stops(sig os.Signal) bool { return sig == os.Interrupt || sig == syscall.SIGTERM }
