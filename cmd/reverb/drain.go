package main

import (
	"context"
	"fmt"
	"time"

	"reverb/node/handover"
)

// stop is the polite way out. Readiness fails first, so that balancers look elsewhere; after a pause for them, nobody new is let in; then
// the clients are sent away, spread over the drain time. A node alone, whose clients have nowhere else to go, does it the other way round:
// they are sent away together, and the port is the last to go. When ctx ends, all that is left is cut.
func (n *node) stop(ctx context.Context, end ending) {
	n.draining.Store(true)
	if end.handover {
		n.leaveToNext(ctx)
	} else {
		n.lineage.notify("STOPPING=1")
		n.server.Leave()
		if !end.urgent && n.cfg.Server.Predrain > 0 {
			n.predrain(ctx)
		}
		if !n.cfg.Scaling.Enabled {
			n.dismiss(ctx)
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, farewellTime)
			defer cancel()
			n.leave(ctx, end)
			n.close(ctx)
			return
		}
		n.server.BeginDrain()
		n.leave(ctx, end)
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Server.DrainTimeout)
	defer cancel()
	n.drain(ctx)
	n.close(ctx)
}

// leave gives up what the next server needs.
func (n *node) leave(ctx context.Context, end ending) {
	n.control.stopListening()
	n.poller.CloseListeners()
	if end.urgent {
		n.leaveSides(ctx)
	}
	n.lineage.giveUp()
}

// drain sends the clients away, spread over the time that ctx leaves, and tells how it goes: the terminal, the metrics, and the clients of the control
// socket.
func (n *node) drain(ctx context.Context) {
	total := n.server.Remaining()
	progress, told := context.WithCancel(ctx)
	done := make(chan struct{})
	n.running.Go(func() { defer close(done); n.tellDrain(progress, total) })
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Server.DrainTimeout)
	defer cancel()
	n.server.Drain(ctx)
	told()
	<-done
}

// Times of a node alone. A client that is sent away comes back after one second, so the process must be gone, and the next one there, before.
const (
	flushTime    = 600 * time.Millisecond // for what waits for slow clients, while all are served
	farewellTime = 200 * time.Millisecond // for the answers to close frames; and again for HTTP requests that are being answered
	lookEvery    = 5 * time.Millisecond
)

// dismiss is the drain of a node alone. Nobody else has the port, so all that helps is to be gone for a short time: frames that wait are
// flushed while everything goes on, then all clients are closed at once. Until then publishes and connections are taken. A port that the
// service manager holds stays open: clients may come back at once, and wait there for the next server.
func (n *node) dismiss(ctx context.Context) {
	n.control.tell(fmt.Sprintf("%s %d\n", answerDraining, n.server.Remaining()))
	await(ctx, min(flushTime, n.cfg.Server.DrainTimeout), func() bool { return n.hub.AllSent() && n.poller.Stats().OutboxBytes == 0 })
	portStays := n.lineage.sockets.Activated(handover.Server)
	if portStays {
		n.poller.CloseListeners()
	}
	n.server.Dismiss(portStays)
	await(ctx, min(farewellTime, n.cfg.Server.DrainTimeout), func() bool { return n.server.Remaining() == 0 })
}

// await waits until done says so, at most for limit.
func await(ctx context.Context, limit time.Duration, done func() bool) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// tellDrain tells once a second how many connections are left. Those who asked hear it at once; the terminal does not when the drain
// takes no second.
func (n *node) tellDrain(ctx context.Context, total int) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	n.control.tell(fmt.Sprintf("%s %d\n", answerDraining, total))
	shown := false
	for {
		select {
		case <-ctx.Done():
			if shown {
				n.said.ProgressEnd()
			}
			return
		case <-tick.C:
		}
		left := n.server.Remaining()
		n.control.tell(fmt.Sprintf("%s %d\n", answerDraining, left))
		n.said.Progress("Draining", remaining(left), total-left, total)
		shown = true
	}
}

// predrain is the time between the stop signal and the drain: /ready fails, and everything else goes on.
func (n *node) predrain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Server.Predrain)
	defer cancel()
	begun, tick := time.Now(), time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		n.control.tell(fmt.Sprintf("%s %d\n", answerDraining, n.server.Remaining()))
		left := (n.cfg.Server.Predrain - time.Since(begun)).Round(time.Second)
		n.said.Detail("Not ready any more", fmt.Sprintf("clients are served for another %v", left))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// remaining says how many connections are left.
func remaining(n int) string {
	if n == 1 {
		return "1 connection left"
	}
	return fmt.Sprintf("%d connections left", n)
}
