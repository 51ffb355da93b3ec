package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// scenario is one kind of load. Its run fills in the rig's result and returns an error when it had to end early.
type scenario struct {
	name, usage string
	uses        []string        // settings it reads, beside the common ones, in the order of the report
	defaults    func(*Settings) // what differs from the defaults of all
	run         func(ctx context.Context, r *rig) error
}

// scenarios is the table of all; the command and the profiles are made from it.
var scenarios = []scenario{
	{
		name: "idle", usage: "hold connections that do nothing: memory and CPU of each",
		uses:     []string{"connections", "channels", "kind"},
		defaults: func(s *Settings) { s.Connections, s.Kind = 1000, private },
		run:      runIdle,
	},
	{
		name: "connect", usage: "connect and subscribe, by the clock or as fast as it goes: rate and latency",
		uses:     []string{"connections", "channels", "kind", "rate", "inflight"},
		defaults: func(s *Settings) { s.Connections, s.Channels, s.Inflight = 1000, 1, 64 },
		run:      runConnect,
	},
	{
		name: "broadcast", usage: "publish to one channel with many subscribers: deliveries and their latency",
		uses:     []string{"subscribers", "kind", "rate", "publishers", "probes", "inflight", "ahead", "size", "batch", "warmup"},
		defaults: func(s *Settings) { s.Subscribers, s.Rate = 1000, 10 },
		run:      runBroadcast,
	},
	{
		name: "channels", usage: "publish to channels at random",
		uses:     []string{"channels", "subscribers", "connections", "kind", "rate", "publishers", "inflight", "ahead", "size", "batch", "warmup"},
		defaults: func(s *Settings) { s.Channels, s.Subscribers = 100, 10 },
		run:      runChannels,
	},
	{
		name: "presence", usage: "members join and leave a presence channel: what the others are told, and when",
		uses:     []string{"subscribers", "connections", "rate", "inflight", "ahead", "warmup"},
		defaults: func(s *Settings) { s.Subscribers, s.Connections, s.Rate = 100, 100, 100 },
		run:      runPresence,
	},
	{
		name: "whisper", usage: "client events from one member of a private channel to the other and back",
		uses:     []string{"connections", "rate", "inflight", "size", "warmup"},
		defaults: func(s *Settings) { s.Connections, s.Rate, s.Kind = 100, 500, private },
		run:      runWhisper,
	},
	{
		name: "publish", usage: "requests to the HTTP API as fast as they go, to few subscribers",
		uses:     []string{"subscribers", "kind", "inflight", "ahead", "size", "batch", "keep_alive", "warmup"},
		defaults: func(s *Settings) { s.Subscribers, s.Inflight, s.Ahead = 1, 16, 1024 },
		run:      runBroadcast,
	},
	{
		name: "churn", usage: "clients reconnect all at once while others are broadcast to: what these notice",
		uses:     []string{"subscribers", "connections", "kind", "rate", "publishers", "inflight", "size", "warmup"},
		defaults: func(s *Settings) { s.Subscribers, s.Connections, s.Rate, s.Inflight = 100, 500, 10, 1024 },
		run:      runChurn,
	},
	{
		name: "slow", usage: "some subscribers stop reading: what the others notice, and when those are closed",
		uses:     []string{"subscribers", "slow", "kind", "rate", "publishers", "size", "warmup"},
		defaults: func(s *Settings) { s.Subscribers, s.Slow, s.Rate, s.Size = 100, 10, 100, 4000 },
		run:      runSlow,
	},
}

// scenarioNamed finds a scenario.
func scenarioNamed(name string) (scenario, error) {
	var names []string
	for _, s := range scenarios {
		if s.name == name {
			return s, nil
		}
		names = append(names, s.name)
	}
	return scenario{}, fmt.Errorf("there is no scenario %q; there are %s", name, strings.Join(names, ", "))
}

// reads reports whether the scenario has a use for a setting.
func (s scenario) reads(key string) bool {
	return slices.Contains(s.uses, key) || slices.Contains(common, key)
}

// settings are what the scenario begins with.
func (s scenario) settings() Settings {
	set := defaults()
	set.Scenario = s.name
	s.defaults(&set)
	return set
}

// longest is a bound on the time of one run, so that one that hangs ends by itself: everything that is waited for has a bound of its own, and
// this is the one behind them.
func (s *Settings) longest() time.Duration {
	return s.Warmup + s.Duration + s.Drain + 10*time.Minute
}
