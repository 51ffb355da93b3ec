package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
)

// ending is why and how a server ends.
type ending struct {
	text     string // for the operator
	handover bool   // another process serves on
	urgent   bool   // somebody waits for the port: no pause before the drain
	asked    asked
}

// asked counts the requests to stop by where they came from. A service manager may signal a whole group of processes, and the guardian
// passes on what it gets, so that the first of each are one request.
type asked struct{ direct, passed int }

// again reports whether somebody insists.
func (a asked) again() bool { return a.direct > 1 || a.passed > 1 }

const (
	terminating = "Gracefully terminating connections."
	// insisting makes the first signal after it the second request.
	insisting = 1
)

// waitForEnd returns when the server has a reason to end. A handover that fails is none.
func (n *node) waitForEnd(signals <-chan os.Signal) ending {
	h := newHandovers(n)
	defer h.giveUp()
	for {
		select {
		case sig := <-signals:
			if n.ends(sig) {
				return h.instead(sig, ending{text: terminating, asked: asked{direct: 1}})
			}
		case sig := <-n.lineage.signals():
			if n.ends(sig) {
				return h.instead(sig, ending{text: terminating, asked: asked{passed: 1}})
			}
		case <-n.lineage.orphaned():
			n.log.Warn("the first process of this server has gone; this one ends too")
			return h.instead(nil, ending{text: terminating, urgent: true, asked: asked{insisting, insisting}})
		case <-n.control.requested():
			return h.instead(nil, n.restarting())
		case <-n.signal.Changed():
			n.log.Info("restart requested through the cache of the Laravel site")
			return h.instead(nil, n.restarting())
		case conn := <-n.control.reloadAsked():
			n.running.Go(func() { n.reloads.answer(conn, n.address) })
		case r := <-n.control.handoverAsked():
			h.begin(r)
		case pid := <-h.result:
			if h.under = false; pid != 0 {
				return handedOver(pid)
			}
		}
	}
}

func (n *node) restarting() ending {
	return ending{text: "Stopping server on " + n.address + ".", asked: asked{insisting, insisting}}
}

func handedOver(pid int) ending {
	return ending{text: fmt.Sprintf("Handing over to process %d.", pid), handover: true}
}

// ends handles a signal and reports whether it is a request to stop.
func (n *node) ends(sig os.Signal) bool {
	if sig == syscall.SIGHUP {
		_, _ = n.reloads.reload("SIGHUP") // the log has what went wrong
	}
	return endsServer(sig)
}

// endsServer tells a request to stop from the signals that would end a program that does not catch them: a terminal that was closed,
// and a log reader that has gone, are no reason to disconnect everybody.
func endsServer(sig os.Signal) bool { return sig == os.Interrupt || sig == syscall.SIGTERM }

// handovers are the attempts to have another process take over, one at a time. It belongs to the goroutine that runs the node.
type handovers struct {
	node   *node
	ctx    context.Context
	cancel context.CancelFunc
	under  bool     // one is under way
	result chan int // the pid of the process that has taken over; 0 = none has
}

func newHandovers(n *node) *handovers {
	h := &handovers{node: n, result: make(chan int, 1)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h
}

// giveUp stops the attempt that is under way.
func (h *handovers) giveUp() { h.cancel() }

func (h *handovers) begin(r *handoverRequest) {
	if h.under {
		refuseControl(r.conn, "another handover is under way")
		return
	}
	h.under = true
	h.node.running.Go(func() { h.result <- h.node.handOver(h.ctx, r) })
}

// instead ends the server for another reason than a handover, unless one has just succeeded: then the other process serves already, and
// is told of the signal.
func (h *handovers) instead(sig os.Signal, end ending) ending {
	if !h.under {
		return end
	}
	h.cancel()
	pid := <-h.result
	if pid == 0 {
		return end
	}
	if sig != nil {
		h.node.lineage.pass(sig)
	}
	return handedOver(pid)
}
