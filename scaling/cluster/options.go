package cluster

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"reverb/metrics"
	"reverb/scaling/bus"
)

// Options are what an operator sets of a native relay. Zero values get the defaults that are named here.
type Options struct {
	Redis  bus.Options // its Log is set from Log when nil
	Prefix string      // of every name in Redis; "reverb"

	Lease        time.Duration // a node that has been silent for so long is dead; 10 s, at least 3 beats
	Grace        time.Duration // members of a node that drains may come back elsewhere within it; 3 s
	Linger       time.Duration // a channel is kept so long after its last subscriber left; 5 s
	LingerBytes  int64         // of the channels that are kept so; over it the oldest go at once; 4 MiB
	CacheTTL     time.Duration // of the last event of a cache channel in Redis; 30 min
	Vouch        time.Duration // a client's event is kept so long after the last word of a node that has somebody in the channel; 1 min
	QueryTimeout time.Duration // of a question to all nodes; 1 s

	Name, Version string // of this node, for people who look at the other nodes; none

	// Bytes of memory about the channels that this node has published to: those that only clients have published to, 2 MiB, and the others,
	// 64 MiB. A channel that is forgotten begins anew: the other nodes do not notice then if an event before was lost.
	ClientSequenceBytes, SequenceBytes int64

	InboundBytes int64         // of messages from Redis that wait for this node's subscribers, all channels together; 64 MiB
	Beat         time.Duration // between two signs of life; 1 s
	Retell       time.Duration // after Redis was lost, nodes have so long to tell it again of their members; others are then taken out; 5 s

	// CacheLimit is how many bytes the last events that this node has Redis keep for an app may have, those of clients or those of the HTTP API; 0 is
	// any number, nil: of all apps. Evicted is told of each that had to go; nil: nobody is.
	CacheLimit func(app string, client bool) int64
	Evicted    func(app string, client bool)

	Metrics *metrics.Relay                 // nil: nobody looks
	Dropped func(reason string, count int) // counts what was dropped, by the reasons of bus and of this package; nil: Metrics.Dropped
	Log     *slog.Logger                   // nil: none
}

// Why a message of another node was dropped here.
const (
	droppedQueue   = "relay_queue"   // too much waited for this node's own work; the gap that it leaves is counted as lost, too
	droppedBacklog = "relay_backlog" // the subscribers of the channel do not keep up
)

// withDefaults fills what is zero and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	or := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	or(&o.Beat, time.Second)
	or(&o.Lease, 10*time.Second)
	or(&o.Grace, 3*time.Second)
	or(&o.Linger, 5*time.Second)
	or(&o.CacheTTL, 30*time.Minute)
	or(&o.Vouch, time.Minute)
	or(&o.QueryTimeout, time.Second)
	or(&o.Retell, 5*time.Second)
	orBytes := func(n *int64, value int64) {
		if *n <= 0 {
			*n = value
		}
	}
	orBytes(&o.InboundBytes, 64<<20)
	orBytes(&o.LingerBytes, 4<<20)
	orBytes(&o.ClientSequenceBytes, 2<<20)
	orBytes(&o.SequenceBytes, 64<<20)
	if o.Prefix == "" {
		o.Prefix = "reverb"
	}
	if strings.ContainsAny(o.Prefix, "{}") {
		return o, fmt.Errorf("prefix %q: a brace would spoil the hash tags of Redis Cluster", o.Prefix)
	}
	if o.Lease < 3*o.Beat {
		return o, fmt.Errorf("lease %v: less than three beats of %v", o.Lease, o.Beat)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.New("").Relay()
	}
	if o.Dropped == nil {
		o.Dropped = o.Metrics.Dropped
	}
	if o.CacheLimit == nil {
		o.CacheLimit = func(string, bool) int64 { return 0 }
	}
	if o.Evicted == nil {
		o.Evicted = func(string, bool) {}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Redis.Log == nil {
		o.Redis.Log = o.Log
	}
	return o, nil
}

// echoWait is how long an own event may be on its way through Redis.
func (o *Options) echoWait() time.Duration {
	return max(o.Redis.BufferAge, 30*time.Second) + 5*time.Second
}
