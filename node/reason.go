package node

import (
	"fmt"
	"os"
	"syscall"

	"reverb/node/handover"
)

// reason is why and how a server ends.
type reason struct {
	text     string // for the operator
	handover bool   // another process serves on
	urgent   bool   // somebody waits for the port: no pause before the drain
	asked    asked
}

// asked counts the requests to stop by where they came from. A service manager may signal a whole group of processes,
// and the guardian passes on what it gets, so that the first of each are one request.
type asked struct{ direct, passed int }

// again reports whether somebody insists.
func (a asked) again() bool { return a.direct > 1 || a.passed > 1 }

const (
	terminating = "Gracefully terminating connections."
	// insisting makes the first signal after it the second request.
	insisting = 1
)

// waitForReason returns when the server has a reason to end. A handover that fails is none.
func (n *Node) waitForReason(signals <-chan os.Signal) reason {
	h := newHandovers(n)
	defer h.giveUp()
	for {
		select {
		case sig := <-signals:
			if n.ends(sig) {
				return h.instead(sig, reason{text: terminating, asked: asked{direct: 1}})
			}
		case sig := <-n.process.Signals():
			if n.ends(sig) {
				return h.instead(sig, reason{text: terminating, asked: asked{passed: 1}})
			}
		case <-n.process.Orphaned():
			n.log.Warn("the first process of this server has gone; this one ends too")
			return h.instead(nil, reason{text: terminating, urgent: true, asked: asked{insisting, insisting}})
		case <-n.orders.Restart():
			return h.instead(nil, n.restarting())
		case <-n.signal.Changed():
			n.log.Info("restart requested through the cache of the Laravel site")
			return h.instead(nil, n.restarting())
		case caller := <-n.orders.Reloads():
			n.running.Go(func() { n.reloads.answer(caller, n.orders.Accepted()) })
		case order := <-n.orders.Handovers():
			h.begin(order)
		case pid := <-h.result:
			if h.under = false; pid != 0 {
				return handedOver(pid)
			}
		}
	}
}

func (n *Node) restarting() reason {
	return reason{text: "Stopping server on " + n.address + ".", asked: asked{insisting, insisting}}
}

func handedOver(pid int) reason {
	return reason{text: fmt.Sprintf("Handing over to process %d.", pid), handover: true}
}

// ends handles a signal and reports whether it is a request to stop.
func (n *Node) ends(sig os.Signal) bool {
	if sig == syscall.SIGHUP {
		_, _ = n.reloads.reload("SIGHUP") // the log has what went wrong
	}
	return handover.Stops(sig)
}
