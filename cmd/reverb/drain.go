package main

import (
	"context"
	"fmt"
	"time"
)

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
				n.said.progressEnd()
			}
			return
		case <-tick.C:
		}
		left := n.server.Remaining()
		n.control.tell(fmt.Sprintf("%s %d\n", answerDraining, left))
		n.said.progress("Draining", remaining(left), total-left, total)
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
		n.said.detail("Not ready any more", fmt.Sprintf("clients are served for another %v", left))
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
