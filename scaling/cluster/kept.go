package cluster

import (
	"container/list"
	"sync"
	"time"
)

// kept are the last events that this node has made Redis keep, so that those of one app hold a bounded number of bytes there: the oldest make
// room. Those of clients are counted apart from those of the HTTP API. All methods may be called from any goroutine.
type kept struct {
	mu sync.Mutex // a leaf
	// Guarded by mu.
	byOwner map[owner]*keptEvents
}

// owner is whose events are bounded together.
type owner struct {
	app    string
	client bool
}

// keptEvents are those of one owner, the oldest first.
type keptEvents struct {
	bytes  int64
	order  list.List // of keptEvent
	byName map[string]*list.Element
}

type keptEvent struct {
	name  string // of the Redis channel
	size  int    // of the value in Redis
	until time.Time
}

// keptCost is what an event costs beside its value and its name, in bytes, here and in Redis.
const keptCost = 256

func (e *keptEvent) cost() int64 { return int64(e.size + 3*len(e.name) + keptCost) }

// add notes an event in place of the one before and returns those that must go, maybe the new one too. limit is in bytes, 0 is none.
func (k *kept) add(o owner, e keptEvent, limit int64) (gone []keptEvent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removeLocked(owner{o.app, !o.client}, e.name)
	k.removeLocked(o, e.name)
	if limit <= 0 {
		return nil
	}
	events := k.byOwner[o]
	if events == nil {
		events = &keptEvents{byName: make(map[string]*list.Element)}
		if k.byOwner == nil {
			k.byOwner = make(map[owner]*keptEvents)
		}
		k.byOwner[o] = events
	}
	events.byName[e.name] = events.order.PushBack(e)
	events.bytes += e.cost()
	for events.bytes > limit {
		gone = append(gone, events.removeLocked(events.order.Front()))
	}
	return gone
}

// remove forgets an event that Redis does not keep any more.
func (k *kept) remove(o owner, name string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.removeLocked(o, name)
}

// expire forgets those that Redis has forgotten too.
func (k *kept) expire(now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for o, events := range k.byOwner {
		for first := events.order.Front(); first != nil && first.Value.(keptEvent).until.Before(now); first = events.order.Front() {
			events.removeLocked(first)
		}
		if events.order.Len() == 0 {
			delete(k.byOwner, o)
		}
	}
}

func (k *kept) removeLocked(o owner, name string) {
	if events := k.byOwner[o]; events != nil && events.byName[name] != nil {
		events.removeLocked(events.byName[name])
	}
}

func (e *keptEvents) removeLocked(at *list.Element) keptEvent {
	event := e.order.Remove(at).(keptEvent)
	delete(e.byName, event.name)
	e.bytes -= event.cost()
	return event
}
