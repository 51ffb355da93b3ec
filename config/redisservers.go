package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strconv"
)

var errNoCertificate = errors.New("there is no certificate in it")

// RedisServers are what every client of a Redis needs to reach it, whichever library it uses.
type RedisServers struct {
	Addrs       []string // host:port, or the path of a Unix socket; several are nodes of a cluster. Not used with Sentinel
	Database    int
	TLS         *tls.Config // nil: plain
	SentinelTLS *tls.Config // nil: plain
}

// Servers resolves r. read is os.ReadFile, for the files of [scaling.redis.tls].
func (r *Redis) Servers(read func(path string) ([]byte, error)) (RedisServers, error) {
	s := RedisServers{Addrs: []string{r.Address()}}
	if len(r.Nodes) > 0 {
		s.Addrs = r.Nodes
	}
	var err error
	if s.Database, err = strconv.Atoi(r.Database); err != nil {
		return s, fmt.Errorf("scaling.redis.database = %q: want a smaller number", r.Database)
	}
	if !r.Encrypted && !r.Sentinel.Encrypted {
		return s, nil
	}
	secure, err := r.TLS.load(read)
	if err != nil {
		return s, err
	}
	if r.Encrypted {
		s.TLS = secure
	}
	if r.Sentinel.Encrypted {
		s.SentinelTLS = secure
	}
	return s, nil
}

// load reads the files.
func (c *RedisTLS) load(read func(path string) ([]byte, error)) (*tls.Config, error) {
	secure := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         c.ServerName,
		InsecureSkipVerify: c.Insecure, //nolint:gosec // asked for by the operator
	}
	if c.CA != "" {
		authorities, err := read(c.CA)
		if err != nil {
			return nil, fmt.Errorf("scaling.redis.tls.ca: %w", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(authorities) {
			return nil, fmt.Errorf("scaling.redis.tls.ca: %s: %w", c.CA, errNoCertificate)
		}
	}
	if c.Cert == "" {
		return secure, nil
	}
	cert, err := read(c.Cert)
	if err != nil {
		return nil, fmt.Errorf("scaling.redis.tls.cert: %w", err)
	}
	key, err := read(c.Key)
	if err != nil {
		return nil, fmt.Errorf("scaling.redis.tls.key: %w", err)
	}
	own, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("scaling.redis.tls.cert: %w", err)
	}
	secure.Certificates = []tls.Certificate{own}
	return secure, nil
}
