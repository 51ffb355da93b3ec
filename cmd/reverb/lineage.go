package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	"reverb/node/handover"
)

// lineage is what this process has from the one before it, and what starts the one after it. The first process of a line is the guardian
// of all the others, see package handover.
type lineage struct {
	sockets  *handover.Sockets
	link     *handover.Link     // to the guardian; nil: this process is the first
	guardian *handover.Guardian // nil in the others
	notifier *handover.Notifier // likewise
	log      *slog.Logger
}

// newLineage takes what the process was given.
func newLineage(p process, args []string, log *slog.Logger) (*lineage, error) {
	sockets, link, err := handover.Inherit(p.environ)
	if err != nil {
		return nil, err
	}
	l := &lineage{sockets: sockets, link: link, log: log}
	if link != nil {
		return l, nil
	}
	program, err := handover.Self(args, p.environ)
	l.notifier = handover.NewNotifier(p.environ)
	l.guardian = handover.NewGuardian(handover.Options{
		Program:  func() (handover.Program, error) { return program, err },
		Sockets:  sockets,
		Notify:   l.notifier.Notify,
		Watchdog: l.notifier.Watchdog(),
		Log:      log,
	})
	return l, nil
}

// listen returns the TCP listeners for a purpose: given ones, or the one that open makes.
func (l *lineage) listen(name, address string, open func() (net.Listener, error)) ([]*net.TCPListener, error) {
	found, err := l.sockets.Listen(name, address, open)
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

// ready tells that this process serves.
func (l *lineage) ready() error {
	if l.link == nil {
		l.notify("READY=1")
		return nil
	}
	if err := l.link.Ready(l.sockets); err != nil {
		return fmt.Errorf("tell the guardian: %w", err)
	}
	return nil
}

// notify tells the service manager, which listens to the first process only.
func (l *lineage) notify(state string) {
	if l.link != nil {
		l.link.Notify(state)
		return
	}
	l.notifier.Notify(state)
}

// watchdog is how often the service manager wants to hear that all is well; 0 = never.
func (l *lineage) watchdog() time.Duration {
	if l.link != nil {
		return l.link.Watchdog()
	}
	return l.notifier.Watchdog()
}

// next starts the process that serves next and returns its pid when it does.
func (l *lineage) next(ctx context.Context, timeout time.Duration) (pid int, err error) {
	if l.link != nil {
		return l.link.Start(ctx, timeout)
	}
	return l.guardian.Start(ctx, timeout)
}

// signals are those that the guardian passes on.
func (l *lineage) signals() <-chan os.Signal {
	if l.link == nil {
		return nil
	}
	return l.link.Signals()
}

// orphaned is closed when the guardian of this process has gone.
func (l *lineage) orphaned() <-chan struct{} {
	if l.link == nil {
		return nil
	}
	return l.link.Lost()
}

// failed is closed when the process that took over from this one has ended.
func (l *lineage) failed() <-chan struct{} {
	if l.guardian == nil {
		return nil
	}
	return l.guardian.Ended()
}

// pass gives a signal to the processes that this one has started.
func (l *lineage) pass(sig os.Signal) {
	if l.guardian != nil {
		l.guardian.Signal(sig)
	}
}

// giveUp closes the sockets at the end of the last process of the line. One that has handed over leaves them to the guardian.
func (l *lineage) giveUp() {
	l.sockets.Close()
	if l.link != nil {
		l.link.Closing()
	}
}

// guard is the rest of the life of a first process that has handed over: it stands in for the one that serves, and ends as that does.
func (l *lineage) guard(signals <-chan os.Signal) error {
	debug.FreeOSMemory()
	stopping := false
	for {
		select {
		case sig := <-signals:
			stopping = stopping || endsServer(sig)
			if sig != syscall.SIGPIPE {
				l.guardian.Signal(sig)
			}
		case <-l.guardian.Ended():
			if stopping {
				l.guardian.Wait() // those that still drain were asked too
			}
			l.sockets.Close()
			if status := l.guardian.Status(); status != exitOK {
				l.log.Error("the server has ended", "status", status)
				return statusError(status)
			}
			return nil
		}
	}
}

// end is the last thing that a process of the line does: it tells the guardian an error.
func (l *lineage) end(err error) error {
	if l.link == nil {
		return err
	}
	if err != nil && !errors.Is(err, errTold) {
		l.link.Failed(err)
	}
	l.link.Close()
	return err
}
