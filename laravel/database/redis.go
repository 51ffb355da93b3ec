package database

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"reverb/config"
)

// defaultConnect is what a connect timeout of 0 means.
const defaultConnect = 5 * time.Second

// RedisOptions are those of a client that is used every few seconds, for one key, and must not repeat a command by itself: what was sent
// before a connection broke may have been executed.
func RedisOptions(c config.Redis, name string, writeTimeout time.Duration) (rueidis.ClientOption, error) {
	database, err := strconv.Atoi(c.Database)
	if err != nil {
		return rueidis.ClientOption{}, fmt.Errorf("number of the database of redis: %w", err)
	}
	encryption, err := redisTLS(c.TLS)
	if err != nil {
		return rueidis.ClientOption{}, err
	}
	o := rueidis.ClientOption{
		InitAddress:       []string{c.Address()},
		Username:          c.Username,
		Password:          c.Password,
		SelectDB:          database,
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
	if c.Cluster && len(c.Nodes) > 0 {
		o.InitAddress = c.Nodes
	}
	if c.Encrypted {
		o.TLSConfig = encryption
	}
	if c.Sentinel.Master != "" {
		o.InitAddress = c.Sentinel.Nodes
		o.Sentinel = rueidis.SentinelOption{
			MasterSet: c.Sentinel.Master,
			Username:  c.Sentinel.Username,
			Password:  c.Sentinel.Password,
			Dialer:    o.Dialer,
		}
		if c.Sentinel.Encrypted {
			o.Sentinel.TLSConfig = encryption
		}
	}
	return o, nil
}

// redisTLS reads the files of [scaling.redis.tls].
func redisTLS(c config.RedisTLS) (*tls.Config, error) {
	t := &tls.Config{ServerName: c.ServerName, InsecureSkipVerify: c.Insecure, MinVersion: tls.VersionTLS12} //nolint:gosec // asked for
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("read scaling.redis.tls.ca: %w", err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("read scaling.redis.tls.ca: it holds no certificate")
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
		if err != nil {
			return nil, fmt.Errorf("read scaling.redis.tls.cert: %w", err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}
