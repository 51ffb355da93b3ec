package cluster

import (
	"strconv"
	"strings"
	"time"

	"reverb/outbound"
	"reverb/scaling"
	"reverb/scaling/bus"
)

// cachedEvents are the last events of cache channels: what Redis keeps of them, and what of that is brought into the hub. Each has its order
// in lastEvent. All methods may be called from any goroutine, where they do not say otherwise.
type cachedEvents struct {
	// Constant after construction.
	opts      Options
	names     names
	node      *identity
	interests *interests

	// Constant after Start.
	handler scaling.Handler
	bus     *bus.Bus
	lanes   *lanes

	kept kept
}

// cachedCommand runs one of the scripts about the last event of a channel.
func (e *cachedEvents) cachedCommand(s *bus.Script, events string, args ...string) bus.Command {
	return bus.Command{Script: s, Keys: []string{lastEventKey(events), occupantsKey(events)}, Args: args}
}

// keepCommand stores a client's event for an occupant; ifNone "1": unless there is an event already.
func (e *cachedEvents) keepCommand(events string, event []byte, occupant, ifNone string) bus.Command {
	return e.cachedCommand(keepScript, events, string(event), milliseconds(e.opts.Vouch), occupant, ifNone)
}

// storeCommand stores an event of the HTTP API. flags are those of SET.
func (e *cachedEvents) storeCommand(events string, event []byte, flags ...string) bus.Command {
	args := append([]string{string(event), "PX", milliseconds(e.opts.CacheTTL)}, flags...)
	return bus.Command{Name: "SET", Keys: []string{lastEventKey(events)}, Args: args}
}

// self is this node in the list of occupants.
func (e *cachedEvents) self() string { return e.node.process.String() }

// keep says what Redis is to keep of m.
func (e *cachedEvents) keep(m scaling.Message, c *interest) *bus.Keep {
	events := e.names.events(m.App, m.Channel)
	if m.Client {
		return e.keepClient(events, m.Payload.JSON(), c)
	}
	return &bus.Keep{Key: lastEventKey(events), Value: m.Payload.JSON(), TTL: e.opts.CacheTTL}
}

// found is what fetch has found.
type found struct {
	none      bool // Redis knows no last event
	overtaken bool // events came in between, and were taken for newer
}

// fetch brings the cluster's last event into the hub and then calls then. It must be called on the channel's lane, and then is. occupied says
// that somebody of this node has been in the channel all the time.
func (e *cachedEvents) fetch(c *interest, occupied bool, then func(found)) {
	since := c.last.version()
	flag := ""
	if occupied {
		flag = "1"
	}
	recall := e.cachedCommand(recallScript, c.name, e.self(), milliseconds(e.opts.Vouch), flag)
	e.bus.Do(recall, func(reply bus.Reply) {
		e.lanes.run(c.name, func() {
			f := found{none: reply.IsNil()}
			text, err := reply.Text()
			event, client := strings.CutPrefix(text, clientMark)
			if client {
				c.vouched.Store(true) // the script has done it
			}
			if c.held && err == nil && !f.none {
				f.overtaken = c.last.fetched(since, time.Now(), client, func() { e.handler.Cached(c.app, c.channel, outbound.New(event), client) })
			}
			if !c.occupied.Load() {
				e.vacate(c) // it came too late
			}
			then(f)
		})
	})
}

// refetch makes up for lost messages of a cache channel. It must be called on the channel's lane.
//
// What overtakes the first fetch may have waited in the lane since before the lost messages, and be older than they are. What overtakes a
// second one was read from Redis after them: twice is enough.
func (e *cachedEvents) refetch(c *interest) {
	if !c.held {
		return
	}
	restore := func(f found) {
		if f.none && c.held {
			e.restore(c)
		}
	}
	e.fetch(c, c.occupied.Load(), func(f found) {
		if f.overtaken && c.held {
			e.fetch(c, c.occupied.Load(), restore)
			return
		}
		restore(f)
	})
}

// restore gives Redis, which was emptied, the last event that this node knows, unless another node was first.
func (e *cachedEvents) restore(c *interest) {
	q := scaling.Query{Of: scaling.QueryChannels, App: c.app, Names: []string{c.channel}}
	for _, info := range e.handler.Answer(q).Channels {
		switch {
		case info.Cache == nil:
		case info.ClientCache:
			if node := e.occupant(c); node != "" {
				e.bus.Do(e.keepCommand(c.name, info.Cache, node, "1"), nil)
			}
		default:
			e.bus.Do(e.storeCommand(c.name, info.Cache, "NX"), nil)
		}
	}
}

// count bounds what Redis keeps for an app: the oldest events make room.
func (e *cachedEvents) count(app, events string, client bool, payload []byte) {
	size := len(payload)
	if client {
		size += len(clientMark)
	}
	gone := e.kept.add(owner{app, client}, keptEvent{events, size, time.Now().Add(e.opts.CacheTTL)}, e.opts.CacheLimit(app, client))
	for _, old := range gone {
		e.opts.Evicted(app, client)
		e.bus.Do(e.cachedCommand(evictScript, old.name, strconv.Itoa(old.size)), nil)
	}
}
