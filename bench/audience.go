package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"

	"reverb/bench/client"
	"reverb/bench/measure"
)

// shards of a latency recorder when there is more than one loop to record.
const shards = 16

// audience are the subscribers of the published events: so many channels of so many subscribers each, spread over the connections. Each delivery
// is checked and timed.
//
// Subscription k is subscriber k mod S of channel k div S, and belongs to connection k mod N. So the subscribers of a channel
// are different connections, and which subscription an event came to is reckoned and not looked up.
type audience struct {
	crowd
	channels, subscribers, connections int // constant after construction
	shards                             int
	name                               func(channel int) string
	checker                            *measure.Checker
	gate                               *gate

	windows atomic.Pointer[[]*window] // replaced by the scenario, never changed
}

// newAudience plans who subscribes to what; publishers is how many will publish, ahead the bound of the gate in events.
func newAudience(r *rig, channels, subscribers, connections, publishers, ahead int) (*audience, error) {
	if channels < 1 || subscribers < 1 || connections < 1 {
		return nil, fmt.Errorf("there is nothing to do for %d channels of %d subscribers on %d connections", channels, subscribers, connections)
	}
	if subscribers > connections {
		return nil, fmt.Errorf("%d subscribers of a channel need as many connections, not %d", subscribers, connections)
	}
	a := &audience{
		crowd: newCrowd(&r.faults), channels: channels, subscribers: subscribers, connections: connections, shards: 1,
		name: r.set.channel, checker: measure.NewChecker(channels*subscribers, publishers), gate: newGate(int64(ahead) * int64(subscribers)),
	}
	if r.set.Loops > 1 {
		a.shards = shards
	}
	a.windows.Store(&[]*window{})
	return a, nil
}

// gather connects and subscribes everyone. It returns when all are there.
func (a *audience) gather(ctx context.Context, r *rig, f *client.Fleet) error {
	bar := r.bar("subscribe", int64(a.channels*a.subscribers))
	defer bar.end()
	for n := range a.connections {
		f.Dial(&listener{a, n})
	}
	if err := a.wait(ctx, int64(a.channels*a.subscribers), bar); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// open makes a window of deliveries beside those there are.
func (a *audience) open(w *window) *window {
	next := append(append([]*window(nil), *a.windows.Load()...), w)
	a.windows.Store(&next)
	return w
}

// listener is one connection of an audience.
type listener struct {
	*audience
	n int
}

// Connected subscribes to all that is this connection's.
func (l *listener) Connected(c *client.Client, _ int64) {
	for k := l.n; k < l.channels*l.subscribers; k += l.connections {
		c.Subscribe(l.name(k/l.subscribers), "")
	}
}

// Subscribed counts.
func (l *listener) Subscribed(*client.Client, []byte, int64) { l.enter() }

// Event checks and times a delivery.
func (l *listener) Event(_ *client.Client, e client.Event, now int64) {
	publisher, seq, at, ok := measure.ParsePayload(e.Data)
	if !ok {
		l.refused(e)
		return
	}
	subscription, ok := l.subscription(e.Channel)
	if !ok {
		l.faults.add("an event came on a channel that was not subscribed to: %.60s", e.Channel)
		return
	}
	l.checker.Seen(subscription, publisher, seq)
	for _, w := range *l.windows.Load() {
		w.record(l.n%l.shards, at, now)
	}
	l.gate.came(1)
}

// subscription is which of its subscriptions an event came to, from the number at the end of the channel's name.
func (l *listener) subscription(name []byte) (int, bool) {
	digits := name[bytes.LastIndexByte(name, '-')+1:]
	if len(digits) == 0 {
		return 0, false
	}
	channel := 0
	for _, digit := range digits {
		if digit < '0' || digit > '9' || channel >= l.channels {
			return 0, false
		}
		channel = channel*10 + int(digit-'0')
	}
	// The first subscription of the channel is on connection first; ours is as many further as we are behind that one, in the ring.
	first := channel * l.subscribers % l.connections
	place := (l.n - first + l.connections) % l.connections
	return channel*l.subscribers + place, channel < l.channels && place < l.subscribers
}
