package database

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"time"

	"github.com/redis/rueidis"

	"reverb/config"
)

// defaultConnect is what a connect timeout of 0 means.
const defaultConnect = 5 * time.Second

// RedisOptions are those of a client that is used every few seconds, for one key, and must not repeat a command by
// itself: what was sent before a connection broke may have been executed.
func RedisOptions(c config.Redis, name string, writeTimeout time.Duration) (rueidis.ClientOption, error) {
	servers, err := c.Servers(os.ReadFile)
	if err != nil {
		return rueidis.ClientOption{}, err
	}
	o := rueidis.ClientOption{
		InitAddress:       servers.Addrs,
		TLSConfig:         servers.TLS,
		Username:          c.Username,
		Password:          c.Password,
		SelectDB:          servers.Database,
		ClientName:        name,
		ForceSingleClient: !c.Cluster && c.Sentinel.Master == "",
		DisableRetry:      true,
		DisableCache:      true,
		PipelineMultiplex: -1,
		RingScaleEachConn: 7,
		ConnWriteTimeout:  writeTimeout,
		Dialer:            net.Dialer{Timeout: c.Timeout, KeepAlive: 15 * time.Second},
	}
	if o.Dialer.Timeout == 0 {
		o.Dialer.Timeout = defaultConnect
	}
	if c.IsSocket() && !c.Cluster && c.Sentinel.Master == "" {
		o.DialCtxFn = func(ctx context.Context, path string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", path)
		}
	}
	if c.Sentinel.Master != "" {
		o.InitAddress = c.Sentinel.Nodes
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: c.Sentinel.Master,
			Username:  c.Sentinel.Username,
			Password:  c.Sentinel.Password,
			Dialer:    o.Dialer,
			TLSConfig: servers.SentinelTLS,
		}
	}
	return o, nil
}
