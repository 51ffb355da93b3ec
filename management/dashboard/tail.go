package dashboard

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"

	"reverb/server"
)

const (
	maxViewers  = 16      // of the tail, all browsers together
	viewerQueue = 200     // events that may wait for one viewer
	viewerBytes = 1 << 20 // bytes of them
)

// tails hands the events of the node to those who view them. The server is told to show them only while somebody does.
type tails struct {
	// Constant after newTails.
	inspect *server.Inspector

	viewers atomic.Pointer[[]*viewer] // replaced whole; read by whoever publishes

	mu sync.Mutex // serialises changes
	// Guarded by mu.
	closed bool
}

// viewer is one browser that views the events of an application.
type viewer struct {
	// Constant.
	app    string
	text   []byte // some part of the event as JSON; empty: all
	queue  chan server.DeliveredEvent
	closed chan struct{} // by tails.close

	// Atomic.
	bytes   atomic.Int64 // of the events in queue
	dropped atomic.Int64 // since the viewer was told
}

func newTails(i *server.Inspector) *tails {
	t := &tails{inspect: i}
	t.viewers.Store(new([]*viewer))
	return t
}

// open adds a viewer; nil: there are too many.
func (t *tails) open(app, text string) *viewer {
	v := &viewer{app: app, text: []byte(text), queue: make(chan server.DeliveredEvent, viewerQueue), closed: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	old := *t.viewers.Load()
	if t.closed || len(old) >= maxViewers {
		return nil
	}
	t.setLocked(append(slices.Clone(old), v))
	return v
}

func (t *tails) leave(v *viewer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.setLocked(slices.DeleteFunc(slices.Clone(*t.viewers.Load()), func(other *viewer) bool { return other == v }))
}

func (t *tails) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, v := range *t.viewers.Load() {
		close(v.closed)
	}
	t.closed = true
	t.setLocked(nil)
}

func (t *tails) setLocked(viewers []*viewer) {
	t.viewers.Store(&viewers)
	if len(viewers) == 0 {
		t.inspect.SetEventListener(nil)
		return
	}
	t.inspect.SetEventListener(t.seen)
}

// seen is called on event loops and must not wait.
func (t *tails) seen(s server.DeliveredEvent) {
	for _, v := range *t.viewers.Load() {
		if v.app == s.App && (len(v.text) == 0 || bytes.Contains(s.Payload.JSON(), v.text)) {
			v.offer(s)
		}
	}
}

// offer queues the event, or counts it when the viewer does not keep up.
func (v *viewer) offer(s server.DeliveredEvent) {
	size := int64(s.Payload.Size())
	if v.bytes.Add(size) > viewerBytes && len(v.queue) > 0 {
		v.bytes.Add(-size)
		v.dropped.Add(1)
		return
	}
	select {
	case v.queue <- s:
	default:
		v.bytes.Add(-size)
		v.dropped.Add(1)
	}
}

// take returns what waits, at most a queue full.
func (v *viewer) take() []server.DeliveredEvent {
	var events []server.DeliveredEvent
	for len(events) < viewerQueue {
		select {
		case s := <-v.queue:
			v.bytes.Add(-int64(s.Payload.Size()))
			events = append(events, s)
		default:
			return events
		}
	}
	return events
}
