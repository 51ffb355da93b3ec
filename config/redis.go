package config

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// checkScaling resolves the address of Redis and checks what must fit together.
// Nothing of it counts while scaling is off.
func (ru rules) checkScaling() {
	ru.checkRedis()
	s := &ru.cfg.Scaling
	if !s.Enabled {
		return
	}
	r := &s.Redis
	if strings.ContainsAny(r.Prefix, "{}") {
		ru.fail("scaling.redis.prefix", " = %s: want no braces, they are for the hash tags of Redis Cluster", shown(r.Prefix))
	}
	ru.checkAddresses("scaling.redis.nodes", r.Nodes)
	ru.checkAddresses("scaling.redis.sentinel.nodes", r.Sentinel.Nodes)
	switch {
	case r.Port == 0 && !r.IsSocket():
		ru.fail("scaling.redis.port", " = 0: want a number from 1 to %d, or scaling.redis.host to be the path of a Unix socket", maxPort)
	case r.IsSocket() && r.Cluster && len(r.Nodes) == 0:
		ru.fail("scaling.redis.cluster", " = true: want scaling.redis.nodes with it, a Unix socket is one server")
	case r.Cluster && r.Sentinel.Master != "":
		ru.fail("scaling.redis.sentinel.master", ": want it empty, or scaling.redis.cluster = false: they exclude each other")
	case r.Cluster && s.Mode == ScalingReverb:
		ru.fail("scaling.redis.cluster", " = true: want false with scaling.mode = \"reverb\", Laravel Reverb does not know Redis Cluster")
	case r.Cluster && strings.Trim(r.Database, "0") != "":
		ru.fail("scaling.redis.database", " = %s: want 0, a Redis Cluster has no other", shown(r.Database))
	case !r.Cluster && len(r.Nodes) > 0:
		ru.fail("scaling.redis.nodes", ": want scaling.redis.cluster = true with it")
	}
	if (r.Sentinel.Master == "") != (len(r.Sentinel.Nodes) == 0) {
		ru.fail("scaling.redis.sentinel.nodes", ": want it and scaling.redis.sentinel.master, or neither")
	}
	if (r.TLS.Cert == "") != (r.TLS.Key == "") {
		ru.fail("scaling.redis.tls.key", ": want it and scaling.redis.tls.cert, or neither")
	}
}

// checkAddresses wants host:port of each.
func (ru rules) checkAddresses(path string, addresses []string) {
	for _, address := range addresses {
		host, port, err := net.SplitHostPort(address)
		n, atoiErr := strconv.Atoi(port)
		if err != nil || atoiErr != nil || host == "" || n < 1 || n > maxPort {
			ru.fail(path, ": %s: want host:port of each", shown(address))
		}
	}
}

func (ru rules) checkRedis() {
	const path = "scaling.redis.url"
	redis := &ru.cfg.Scaling.Redis
	before := *redis
	ok := redis.resolve()
	if redis.URL != "" {
		ru.movedByURL(before, *redis)
	}
	if !ok && !ru.isIdle(ru.originOf(path)) {
		ru.fail(path, ": want redis://user:password@host:port/database; the scheme may be tcp, or rediss or tls for TLS; or unix:///path?database=0")
	}
}

// movedByURL notes that a part now has its value from the URL.
func (ru rules) movedByURL(before, after Redis) {
	for part, moved := range map[string]bool{
		"host":     before.Host != after.Host,
		"port":     before.Port != after.Port,
		"path":     before.Path != after.Path,
		"username": before.Username != after.Username,
		"password": before.Password != after.Password,
		"database": before.Database != after.Database,
	} {
		if moved {
			ru.cfg.origins["scaling.redis."+part] = ru.originOf("scaling.redis.url")
		}
	}
}

// resolve lets the URL and a scheme in front of the host override the parts, as
// Reverb's Redis client does with the URL. It reports whether the URL was
// usable; the cause is not told because it would quote the password.
func (r *Redis) resolve() bool {
	if scheme, host, ok := strings.Cut(r.Host, "://"); ok {
		r.Host, r.Encrypted = host, isTLSScheme(scheme)
	}
	if r.Path != "" || r.IsSocket() {
		r.toSocket(strings.TrimPrefix(cmp.Or(r.Path, r.Host), schemeUnix+"://"))
	}
	if cutSchemes(r.Nodes) || r.TLS != (RedisTLS{}) && !r.IsSocket() {
		r.Encrypted = true
	}
	r.Sentinel.Encrypted = cutSchemes(r.Sentinel.Nodes)
	if r.URL == "" {
		return true
	}
	u, err := url.Parse(r.URL)
	if err == nil && u.Scheme == schemeUnix {
		return r.resolveUnix(u)
	}
	if err != nil || u.Hostname() == "" || !isRedisScheme(u.Scheme) {
		return false
	}
	database := r.urlDatabase()
	port := r.Port
	if u.Port() != "" {
		port, err = strconv.Atoi(u.Port())
	}
	if err != nil || port < 1 || port > maxPort || !isDigits(database) {
		return false
	}
	r.Host, r.Port, r.Path = u.Hostname(), port, ""
	r.Encrypted = isTLSScheme(u.Scheme) || r.TLS != (RedisTLS{})
	r.takeUser(u)
	if database != "" {
		r.Database = database
	}
	return true
}

// urlDatabase is the number of the database that stands in the URL, as Laravel
// reads it: the path, or a parameter; "" when there is none.
func (r *Redis) urlDatabase() string {
	u, err := url.Parse(r.URL)
	switch {
	case err != nil:
		return ""
	case u.Query().Has("database"):
		return u.Query().Get("database")
	case u.Scheme == schemeUnix:
		return ""
	}
	return strings.Trim(u.Path, "/")
}

// schemeUnix begins the URL of a Unix socket, or stands in front of its path.
const schemeUnix = "unix"

// resolveUnix takes the parts of unix://user:password@/run/redis.sock?database=1.
func (r *Redis) resolveUnix(u *url.URL) bool {
	database := r.urlDatabase()
	if u.Hostname() != "" || !strings.HasPrefix(u.Path, "/") || !isDigits(database) {
		return false
	}
	r.toSocket(u.Path)
	r.takeUser(u)
	if database != "" {
		r.Database = database
	}
	return true
}

func (r *Redis) takeUser(u *url.URL) {
	if u.User != nil {
		r.Username = u.User.Username()
		r.Password, _ = u.User.Password()
	}
}

// toSocket makes a Unix socket the address. There is no TLS on it.
func (r *Redis) toSocket(path string) { r.Host, r.Port, r.Path, r.Encrypted = path, 0, path, false }

// IsSocket reports whether Redis listens on a Unix socket.
func (r *Redis) IsSocket() bool { return strings.HasPrefix(r.Host, "/") }

// Address is host:port, or the path of a Unix socket.
func (r *Redis) Address() string {
	if r.IsSocket() {
		return r.Host
	}
	return net.JoinHostPort(strings.Trim(r.Host, "[]"), strconv.Itoa(r.Port))
}

// cutSchemes takes the schemes off a list of addresses and reports whether one
// of them means TLS.
func cutSchemes(nodes []string) (encrypted bool) {
	for i, node := range nodes {
		if scheme, address, ok := strings.Cut(node, "://"); ok && isRedisScheme(scheme) {
			nodes[i] = address
			encrypted = encrypted || isTLSScheme(scheme)
		}
	}
	return encrypted
}

func isRedisScheme(s string) bool { return s == "redis" || s == "tcp" || isTLSScheme(s) }

func isTLSScheme(s string) bool { return s == "rediss" || s == "tls" }

// isDigits reports whether s holds nothing but digits; true for "".
func isDigits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}
