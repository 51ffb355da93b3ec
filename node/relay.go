package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"

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
	o := bus.Options{
		Addrs:          []string{r.Address()},
		Username:       r.Username,
		Password:       r.Password,
		Cluster:        r.Cluster,
		ConnectTimeout: r.Timeout,
		BufferBytes:    s.BufferBytes,
		BufferAge:      s.BufferAge,
		Sentinel: bus.Sentinel{
			Master:   r.Sentinel.Master,
			Addrs:    r.Sentinel.Nodes,
			Username: r.Sentinel.Username,
			Password: r.Sentinel.Password,
		},
	}
	if len(r.Nodes) > 0 {
		o.Addrs = r.Nodes
	}
	var err error
	if o.Database, err = strconv.Atoi(r.Database); err != nil {
		return o, fmt.Errorf("scaling.redis.database = %q: want a smaller number", r.Database)
	}
	if !r.Encrypted && !r.Sentinel.Encrypted {
		return o, nil
	}
	secure, err := redisTLS(r.TLS)
	if err != nil {
		return o, err
	}
	if r.Encrypted {
		o.TLS = secure
	}
	if r.Sentinel.Encrypted {
		o.Sentinel.TLS = secure
	}
	return o, nil
}

// redisTLS reads the files of [scaling.redis.tls].
func redisTLS(c config.RedisTLS) (*tls.Config, error) {
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         c.ServerName,
		InsecureSkipVerify: c.Insecure, //nolint:gosec // asked for by the operator
	}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("scaling.redis.tls.ca: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("scaling.redis.tls.ca: %s: %w", c.CA, errNoCertificate)
		}
	}
	if c.Cert != "" {
		own, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("scaling.redis.tls.cert: %w", err)
		}
		secure.Certificates = []tls.Certificate{own}
	}
	return secure, nil
}

var errNoCertificate = errors.New("there is no certificate in it")
