package main

import (
	"context"
	"fmt"
	"net"
	"time"
)

const (
	// tellEvery is how often those who wait hear something.
	tellEvery = time.Second
	// lateHandshakes is how long those who connected just before a handover have for the rest of their handshake.
	lateHandshakes = time.Second
)

// handOver has the next process started, and returns its pid when that serves; else 0, and the client knows why.
func (n *node) handOver(ctx context.Context, r *handoverRequest) int {
	n.log.Info("handover requested")
	told := tellStarting(r.conn)
	pid, err := n.lineage.next(ctx, r.timeout)
	told()
	if err != nil {
		n.log.Warn("no handover", "err", err)
		refuseControl(r.conn, err.Error())
		return 0
	}
	_ = r.conn.SetWriteDeadline(time.Now().Add(controlTimeout))
	_, _ = fmt.Fprintf(r.conn, "%s %d\n", answerStarted, pid)
	n.control.keep(r.conn)
	return pid
}

// tellStarting tells a client now and then that there is nothing to tell, until the function that it returns is called.
func tellStarting(conn net.Conn) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for {
			_ = conn.SetWriteDeadline(time.Now().Add(controlTimeout))
			_, _ = conn.Write([]byte(answerStarting + "\n"))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(stop); <-ended }
}

// leaveToNext hands over what only one process can have, so that the next one is asked from now on. Nobody is refused: whoever is in the
// middle of a handshake may end it here.
func (n *node) leaveToNext(ctx context.Context) {
	n.endWatchdog()
	n.control.endListening(false)
	n.poller.CloseListeners()
	n.http.SetKeepAlivesEnabled(false)
	n.leaveSides(ctx)
	if n.lineage.link != nil {
		n.lineage.sockets.Close() // the guardian has them
	}
	pause(ctx, lateHandshakes)
}

// leaveSides gives the ports of the metrics and of the dashboard up at once, for a server that needs them now.
func (n *node) leaveSides(ctx context.Context) {
	if n.scrapes != nil {
		n.running.Go(func() { n.endHTTP(ctx, n.scrapes) })
	}
	n.running.Go(func() { n.endPage(ctx) })
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
