package node

import (
	"fmt"
	"log/slog"
	"os"

	"reverb/config"
	"reverb/metrics"
	"reverb/scaling"
	"reverb/scaling/bus"
	"reverb/scaling/cluster"
	"reverb/scaling/phpnodes"
)

// cacheBounds are what hub and relay ask about the cached events of an app, those of clients or those of the HTTP API.
type cacheBounds struct {
	limit   func(app string, client bool) int64 // bytes, 0 = no limit
	dropped func(app string, client bool)       // tells of an event that did not fit
}

// newRelay makes what joins this node to the others, not connected yet.
func newRelay(s config.Scaling, version string, m *metrics.Metrics, cache cacheBounds, log *slog.Logger) (scaling.Relay, error) {
	if !s.Enabled {
		return scaling.NewLocal(), nil
	}
	redis, err := redisOptions(s)
	if err != nil {
		return nil, err
	}
	counters := m.Relay()
	nodes, err := cluster.New(cluster.Options{
		Redis:        redis,
		Prefix:       s.Redis.Prefix,
		Lease:        s.Lease,
		Grace:        s.Grace,
		Linger:       s.Linger,
		CacheTTL:     s.CacheTTL,
		QueryTimeout: s.QueryTimeout,
		Name:         hostName(),
		Version:      version,
		CacheLimit:   cache.limit,
		Evicted:      cache.dropped,
		Metrics:      counters,
		Log:          log,
	})
	if err != nil {
		return nil, fmt.Errorf("scaling: %w", err)
	}
	if s.Mode != config.ScalingReverb {
		return nodes, nil
	}
	beside, err := phpnodes.New(phpnodes.Options{
		Redis:        redis,
		Channel:      s.Channel,
		TerminatePHP: s.TerminatePHPNodes,
		QueryTimeout: s.QueryTimeout,
		Metrics:      counters,
		Log:          log,
	}, nodes)
	if err != nil {
		return nil, fmt.Errorf("scaling: %w", err)
	}
	return beside, nil
}

// hostName names this node for people; empty when the system does not know.
func hostName() string {
	name, _ := os.Hostname()
	return name
}

// redisOptions say where Redis is.
func redisOptions(s config.Scaling) (bus.Options, error) {
	r := s.Redis
	servers, err := r.Servers(os.ReadFile)
	if err != nil {
		return bus.Options{}, err
	}
	return bus.Options{
		Addrs:          servers.Addrs,
		Username:       r.Username,
		Password:       r.Password,
		Database:       servers.Database,
		TLS:            servers.TLS,
		Cluster:        r.Cluster,
		ConnectTimeout: r.Timeout,
		BufferBytes:    s.BufferBytes,
		BufferAge:      s.BufferAge,
		Sentinel: bus.Sentinel{
			Master:   r.Sentinel.Master,
			Addrs:    r.Sentinel.Nodes,
			Username: r.Sentinel.Username,
			Password: r.Sentinel.Password,
			TLS:      servers.SentinelTLS,
		},
	}, nil
}
