package node

import (
	"context"
	"os"
	"time"

	"reverb/management"
)

const (
	// tellEvery is how often waiting operators hear something.
	tellEvery = time.Second
	// lateHandshakes is how long clients that connected just before a handover have for the rest of their handshake.
	lateHandshakes = time.Second
)

// handovers are the attempts to have another process take over, one at a time. It belongs to the goroutine that runs
// the node.
type handovers struct {
	node   *Node
	ctx    context.Context
	cancel context.CancelFunc
	under  bool     // one is under way
	result chan int // the pid of the process that has taken over; 0 = none has
}

func newHandovers(n *Node) *handovers {
	h := &handovers{node: n, result: make(chan int, 1)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// giveUp stops the attempt that is under way.
func (h *handovers) giveUp() { h.cancel() }

func (h *handovers) begin(order *management.Handover) {
	if h.under {
		order.Refuse("another handover is under way")
		return
	}
	h.under = true
	h.node.running.Go(func() { h.result <- h.run(order) })
}

// instead ends the server for another reason than a handover, unless one has just succeeded: then the other process
// serves already, and is told of the signal.
func (h *handovers) instead(sig os.Signal, end reason) reason {
	if !h.under {
		return end
	}
	h.cancel()
	pid := <-h.result
	if pid == 0 {
		return end
	}
	if sig != nil {
		h.node.process.Pass(sig)
	}
	return handedOver(pid)
}

// run has the next process started, and returns its pid when that serves; else 0, and the caller knows why.
func (h *handovers) run(order *management.Handover) int {
	n := h.node
	n.log.Info("handover requested")
	told := tellStarting(order.Caller)
	pid, err := n.process.StartNext(h.ctx, order.Timeout)
	told()
	if err != nil {
		n.log.Warn("no handover", "err", err)
		order.Refuse(err.Error())
		return 0
	}
	order.Tell(management.Event{Kind: management.Started, PID: pid})
	n.orders.Keep(order.Caller)
	return pid
}

// tellStarting tells a caller now and then that there is nothing to tell, until the function that it returns is called.
func tellStarting(caller *management.Caller) (end func()) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(tellEvery)
		defer tick.Stop()
		for {
			caller.Tell(management.Event{Kind: management.Starting})
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(stop); <-ended }
}

// leaveToNext hands over what only one process can have, so that the next one is asked from now on. No client is
// refused: a handshake that has begun here may end here.
func (n *Node) leaveToNext(ctx context.Context) {
	n.endWatchdog()
	n.socket.EndListening(false)
	n.engine.poller.CloseListeners()
	n.engine.http.SetKeepAlivesEnabled(false)
	n.leaveSides(ctx)
	n.process.LeaveSockets()
	pause(ctx, lateHandshakes)
}

// leaveSides gives the ports of the metrics and of the dashboard up at once, for a server that needs them now.
func (n *Node) leaveSides(ctx context.Context) {
	n.running.Go(func() { n.scrapes.end(ctx) })
	n.running.Go(func() { n.page.end(ctx) })
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
