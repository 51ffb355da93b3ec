package phpnodes

import (
	"errors"
	"log/slog"
	"time"

	"reverb/metrics"
	"reverb/protocol"
	"reverb/scaling/bus"
)

// Options are what an operator sets. Zero values get the defaults that are named here.
type Options struct {
	Redis   bus.Options // where PHP nodes have their Redis; no cluster, which Reverb does not know. Log and Dropped are set when nil
	Channel string      // the Redis channel; "reverb" (Reverb: scaling.channel)

	// Apps are those of the configuration. They are needed only with WholeApp.
	Apps []App

	// WholeApp writes apps with all their properties, the secret too, as Reverb does. Without it only their id is written: PHP nodes use
	// no more of it, and the secret is not for everybody who reads the Redis channel. It is for sites that taught their PHP nodes to
	// use more.
	WholeApp bool

	// TerminatePHP passes terminations on to PHP nodes. Reverb up to 1.11.0 ends over one when a connection has no user, and no node says of
	// which version it is.
	TerminatePHP bool

	KindOf func(channel string) protocol.Kind // the rules of channel names; protocol.KindOf

	QueryTimeout time.Duration // of a question to all nodes; 1 s
	InboundBytes int64         // of messages from Redis that wait for this node's subscribers; 32 MiB

	Metrics *metrics.Relay // nil: nothing is counted
	Log     *slog.Logger   // nil: none
}

// withDefaults fills what is zero and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.Redis.Cluster {
		return o, errors.New("laravel reverb cannot use a redis cluster: set one redis, or sentinel")
	}
	if o.Channel == "" {
		o.Channel = "reverb"
	}
	if o.QueryTimeout <= 0 {
		o.QueryTimeout = time.Second
	}
	if o.InboundBytes <= 0 {
		o.InboundBytes = 32 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.New("").Relay()
	}
	if o.Redis.Log == nil {
		o.Redis.Log = o.Log
	}
	if o.Redis.Dropped == nil {
		o.Redis.Dropped = o.Metrics.Dropped
	}
	if o.KindOf == nil {
		o.KindOf = protocol.KindOf
	}
	return o, nil
}
