package node

import (
	"context"
	"fmt"
	"time"

	"reverb/management"
	"reverb/node/handover"
)

// stop is the polite way out: one end of a node, for a reason.
type stop struct {
	*Node
	why reason
}

// run is the whole of it. Readiness fails first, so that balancers look elsewhere; after a pause for them, no new
// client is let in; then the clients are sent away, spread over the drain time. A node alone, whose clients have
// nowhere else to go, does it the other way round: they are sent away together, and the port is the last to go. When
// ctx ends, all that is left is cut.
func (s stop) run(ctx context.Context) {
	s.draining.Store(true)
	if s.why.handover {
		s.leaveToNext(ctx)
	} else {
		s.process.Notify("STOPPING=1")
		s.engine.server.Leave()
		if !s.why.urgent && s.cfg.Server.Predrain > 0 {
			s.predrain(ctx)
		}
		if !s.cfg.Scaling.Enabled {
			s.dismiss(ctx)
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, farewellTime)
			defer cancel()
			s.leave(ctx)
			s.close(ctx)
			return
		}
		s.engine.server.BeginDrain()
		s.leave(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Server.DrainTimeout)
	defer cancel()
	s.drain(ctx)
	s.close(ctx)
}

// leave gives up what the next server needs.
func (s stop) leave(ctx context.Context) {
	s.socket.StopListening()
	s.engine.poller.CloseListeners()
	if s.why.urgent {
		s.leaveSides(ctx)
	}
	s.process.GiveUp()
}

// drain sends the clients away, spread over the time that ctx leaves, and tells how it goes: the terminal, the metrics,
// and the clients of the control socket.
func (s stop) drain(ctx context.Context) {
	total := s.engine.server.Remaining()
	progress, told := context.WithCancel(ctx)
	done := make(chan struct{})
	s.running.Go(func() { defer close(done); s.tellDrain(progress, total) })
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Server.DrainTimeout)
	defer cancel()
	s.engine.server.Drain(ctx)
	told()
	<-done
}

// Times of a node alone. A client that is sent away comes back after one second, so the process must be gone, and the
// next one there, before.
const (
	flushTime    = 600 * time.Millisecond // for what waits for slow clients, while all are served
	farewellTime = 200 * time.Millisecond // for the answers to close frames; and again for HTTP requests that are being answered
	lookEvery    = 5 * time.Millisecond
)

// dismiss is the drain of a node alone. No other process has the port, so all that helps is to be gone for a short
// time: frames that wait are flushed while everything goes on, then all clients are closed at once. Until then
// publishes and connections are taken. A port that the service manager holds stays open: clients may come back at once,
// and wait there for the next server.
func (s stop) dismiss(ctx context.Context) {
	s.tell(s.engine.server.Remaining())
	await(ctx, min(flushTime, s.cfg.Server.DrainTimeout), func() bool { return s.engine.hub.AllSent() && s.engine.poller.Stats().OutboxBytes == 0 })
	portStays := s.process.Sockets().Activated(handover.Server)
	if portStays {
		s.engine.poller.CloseListeners()
	}
	s.engine.server.Dismiss(portStays)
	await(ctx, min(farewellTime, s.cfg.Server.DrainTimeout), func() bool { return s.engine.server.Remaining() == 0 })
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

// tellDrain tells once a second how many connections are left. Operators who asked hear it at once; the terminal does
// not when the drain takes no second.
func (s stop) tellDrain(ctx context.Context, total int) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	s.tell(total)
	shown := false
	for {
		select {
		case <-ctx.Done():
			if shown {
				s.said.ProgressEnd()
			}
			return
		case <-tick.C:
		}
		left := s.engine.server.Remaining()
		s.tell(left)
		s.said.Progress("Draining", Remaining(left), total-left, total)
		shown = true
	}
}

// tell tells waiting operators how many connections are left.
func (s stop) tell(connections int) {
	s.orders.Tell(management.Event{Kind: management.Draining, Connections: connections})
}

// predrain is the time between the stop signal and the drain: /ready fails, and everything else goes on.
func (s stop) predrain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Server.Predrain)
	defer cancel()
	begun, tick := time.Now(), time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		s.tell(s.engine.server.Remaining())
		left := (s.cfg.Server.Predrain - time.Since(begun)).Round(time.Second)
		s.said.Detail("Not ready any more", fmt.Sprintf("clients are served for another %v", left))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Remaining says how many connections are left.
func Remaining(n int) string {
	if n == 1 {
		return "1 connection left"
	}
	return fmt.Sprintf("%d connections left", n)
}
