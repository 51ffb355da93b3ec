package doctor

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"reverb/config"
)

const (
	redisPings  = 9
	slowRedis   = 10 * time.Millisecond // between two machines of one data centre it is below one
	fullRedis   = 0.9                   // of maxmemory
	oldestRedis = 6                     // RESP 3
	shardRedis  = 7                     // sharded channels, for Redis Cluster
)

// redisServer is the part about the Redis that joins the nodes.
type redisServer struct{ *examination }

// check examines every Redis that the configuration names.
func (e redisServer) check() {
	const check, title = "redis.reach", "Redis"
	switch {
	case !e.usable:
		e.skip(check, title, "the configuration cannot be used")
		return
	case !e.cfg.Scaling.Enabled:
		e.skip(check, title, "scaling is off (REVERB_SCALING_ENABLED): this node needs no Redis")
		return
	}
	r := e.cfg.Scaling.Redis
	servers, err := e.serversOf(r)
	if err != nil {
		e.fail("redis.tls", "TLS of Redis", short(err.Error()), "the server cannot connect to Redis", "config.toml: [scaling.redis.tls] ca, cert, key")
		return
	}
	addresses := servers.Addrs
	if r.Sentinel.Master != "" {
		master := e.askSentinels(r, servers.SentinelTLS)
		if master == "" {
			return
		}
		addresses = []string{master}
	}
	for _, address := range addresses {
		e.examine(address, r, servers.TLS)
	}
}

// serversOf are what a client needs, with the authorities that tests bring.
func (e redisServer) serversOf(r config.Redis) (config.RedisServers, error) {
	servers, err := r.Servers(e.probes.ReadFile)
	for _, secure := range []*tls.Config{servers.TLS, servers.SentinelTLS} {
		if secure != nil && secure.RootCAs == nil {
			secure.RootCAs = e.probes.Roots
		}
	}
	return servers, err
}

// askSentinels returns the address of the master, "" when none knows it.
func (e redisServer) askSentinels(r config.Redis, secure *tls.Config) string {
	const check, title = "redis.sentinel", "Sentinels"
	master, faults := "", []string{}
	for _, address := range r.Sentinel.Nodes {
		found, err := e.askSentinel(address, r, secure)
		switch {
		case err != nil:
			faults = append(faults, address+": "+redisReason(err))
		case master == "":
			master = found
		case found != master:
			faults = append(faults, fmt.Sprintf("%s says %s, another %s", address, found, master))
		}
	}
	switch what := strings.Join(faults, "; "); {
	case master == "":
		e.fail(check, title, what, "the server does not know where Redis is", "config.toml: [scaling.redis.sentinel] master, nodes, username, password")
	case len(faults) > 0:
		e.warn(check, title, what, "when the others fail too, a failover is not followed", "config.toml: [scaling.redis.sentinel] nodes")
	default:
		e.ok(check, title, "%s, agree on %s", count(len(r.Sentinel.Nodes), "sentinel"), master)
	}
	return master
}

func (e redisServer) askSentinel(address string, r config.Redis, secure *tls.Config) (string, error) {
	ctx, cancel := e.step()
	defer cancel()
	c, err := e.connect(ctx, address, secure)
	if err != nil {
		return "", err
	}
	defer c.close()
	if err := c.auth(r.Sentinel.Username, r.Sentinel.Password); err != nil {
		return "", err
	}
	answer, err := c.do("SENTINEL", "MASTER", r.Sentinel.Master)
	if err != nil {
		return "", err
	}
	f := fields(answer)
	if f["ip"] == "" || f["port"] == "" {
		return "", errRedisForm
	}
	return net.JoinHostPort(f["ip"], f["port"]), nil
}

func (c *redisConn) auth(username, password string) error {
	words := []string{"AUTH", username, password}
	switch {
	case password == "":
		return nil
	case username == "":
		words = []string{"AUTH", password}
	}
	_, err := c.do(words...)
	return err
}

// redisReason is an error of Redis or of the way to it. The text of Redis does not quote passwords.
func redisReason(err error) string {
	var no redisError
	if errors.As(err, &no) {
		return short(string(no))
	}
	return reason(err)
}

// examine looks at one server.
func (e redisServer) examine(address string, r config.Redis, secure *tls.Config) {
	title := "Redis " + address
	ctx, cancel := e.step()
	defer cancel()
	c, err := e.connect(ctx, address, secure)
	if err == nil {
		defer c.close()
		err = c.auth(r.Username, r.Password)
	}
	if err == nil {
		_, err = c.do("PING")
	}
	if err == nil && !r.Cluster && strings.Trim(r.Database, "0") != "" {
		_, err = c.do("SELECT", r.Database)
	}
	if err != nil {
		e.fail("redis.reach", title, redisReason(err), "nodes do not get each other's events, and presence is of one node only", redisFixes(err, r)...)
		return
	}
	e.ok("redis.reach", title, "reached")
	e.checkVersion(c, r, title)
	e.checkLatency(c, title)
	e.checkClock(c, title)
	e.checkMemory(c, title)
	e.checkPermissions(c, r, title)
}

// redisFixes are the lines that a failed connection asks for.
func redisFixes(err error, r config.Redis) []string {
	var no redisError
	switch {
	case errors.As(err, &no) && (no.code() == "NOAUTH" || no.code() == "WRONGPASS" || no.code() == "NOPERM" || strings.Contains(string(no), "AUTH")):
		return []string{".env: REDIS_PASSWORD, and REDIS_USERNAME for a user of the ACL", "or config.toml: [scaling.redis] password, username"}
	case errors.As(err, &no) && no.code() == "LOADING":
		return []string{"wait: Redis reads its data"}
	case errors.As(err, &no) && strings.Contains(string(no), "DB index"):
		return []string{".env: REDIS_DB, a smaller one"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return []string{"systemctl start redis-server, or whatever runs it", ".env: REDIS_HOST and REDIS_PORT; in containers 127.0.0.1 is the container itself"}
	case errors.Is(err, errRedisForm), errors.Is(err, errHungUp), isTLSFault(err):
		if r.Encrypted {
			return []string{"is the port one for TLS? REDIS_HOST without tls:// if not", "config.toml: [scaling.redis.tls] ca, server_name"}
		}
		return []string{".env: REDIS_HOST=tls://" + r.Host + ", if Redis wants TLS"}
	}
	return []string{".env: REDIS_HOST and REDIS_PORT"}
}

// checkVersion reads HELLO, which every user may ask.
func (e redisServer) checkVersion(c *redisConn, r config.Redis, title string) {
	const check = "redis.version"
	answer, err := c.do("HELLO")
	if err != nil {
		e.fail(check, title+", version", "it does not know HELLO: "+redisReason(err), "Redis 6 or later is needed", "a newer Redis or Valkey")
		return
	}
	f := fields(answer)
	version, mode, role := f["version"], f["mode"], f["role"]
	major, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(major)
	switch {
	case n < oldestRedis:
		e.fail(check, title+", version", short(version), "Redis 6 or later is needed", "a newer Redis or Valkey")
	case r.Cluster && n < shardRedis:
		e.fail(check, title+", version", short(version)+", with scaling.redis.cluster", "sharded channels (SSUBSCRIBE) came with Redis 7", "Redis 7 or later, or one Redis without cluster")
	case r.Cluster && mode != "cluster":
		e.fail("redis.mode", title+", mode", "it is "+short(mode)+", scaling.redis.cluster is true", "the server asks for the slots of a cluster, and gets none", "config.toml: [scaling.redis] cluster = false")
	case !r.Cluster && mode == "cluster":
		e.fail("redis.mode", title+", mode", "it is a cluster, scaling.redis.cluster is false", "it answers MOVED to what belongs to another of its nodes", "config.toml: [scaling.redis] cluster = true, nodes = [\"host:port\", …]")
	case mode == "sentinel":
		e.fail("redis.mode", title+", mode", "it is a sentinel", "it stores and publishes nothing", "config.toml: [scaling.redis.sentinel] master, nodes = [\"host:port\", …]")
	case role != "master" && !r.Cluster:
		e.fail("redis.role", title+", role", "it is a "+short(role), "it refuses to be written to", "REDIS_HOST of the master, or [scaling.redis.sentinel], which finds it")
	default:
		e.ok(check, title+", version", "%s, %s, %s", short(version), short(mode), short(role))
	}
	if r.Cluster && mode == "cluster" {
		e.checkCluster(c, title)
	}
}

func (e redisServer) checkCluster(c *redisConn, title string) {
	answer, err := c.do("CLUSTER", "INFO")
	if state := info(answer)["cluster_state"]; err == nil && state != "ok" {
		e.fail("redis.cluster", title+", cluster", "its state is "+short(state), "some slots are not served: their channels stand still", "redis-cli --cluster check "+strings.TrimPrefix(title, "Redis "))
	}
}

func (e redisServer) checkLatency(c *redisConn, title string) {
	const check = "redis.latency"
	var took []time.Duration
	for range redisPings {
		begun := e.probes.Now()
		if _, err := c.do("PING"); err != nil {
			return
		}
		took = append(took, e.probes.Now().Sub(begun))
	}
	slices.Sort(took)
	median := took[len(took)/2]
	f := Finding{Check: check, Title: title + ", latency", Status: OK, What: shown(median) + " for an answer", Measures: map[string]float64{"median_ms": milliseconds(median), "worst_ms": milliseconds(took[len(took)-1])}}
	if median > slowRedis {
		f.Status, f.Why = Warning, "every event waits that long on its way to the other nodes, every presence subscription twice"
		f.Fix = []string{"a Redis near the servers", "redis-cli --latency-history; SLOWLOG GET 10"}
	}
	e.add(f)
}

// checkClock asks for the time: leases and the grace of members are counted by the clock of Redis, logs by ours.
func (e redisServer) checkClock(c *redisConn, title string) {
	before := e.probes.Now()
	answer, err := c.do("TIME")
	after := e.probes.Now()
	list, _ := answer.([]any)
	if err != nil || len(list) != 2 {
		return // the permissions tell
	}
	seconds, errS := strconv.ParseInt(fmt.Sprint(list[0]), 10, 64)
	micros, errM := strconv.ParseInt(fmt.Sprint(list[1]), 10, 64)
	if errS != nil || errM != nil {
		return
	}
	middle := before.Add(after.Sub(before) / 2)
	e.judgeClock("clock.redis", title+", clock", time.Unix(seconds, micros*1000).Sub(middle))
}

// checkMemory looks at what Redis does when it is full.
func (e redisServer) checkMemory(c *redisConn, title string) {
	const check = "redis.memory"
	title += ", memory"
	answer, err := c.do("INFO", "memory")
	if err != nil {
		e.skip(check, title, "INFO is not allowed: %s", redisReason(err))
		return
	}
	f := info(answer)
	policy := f["maxmemory_policy"]
	most, _ := strconv.ParseFloat(f["maxmemory"], 64)
	used, _ := strconv.ParseFloat(f["used_memory"], 64)
	switch {
	case most > 0 && strings.HasPrefix(policy, "allkeys-"):
		e.warn(check, title, "maxmemory-policy is "+short(policy), "a full Redis throws away members of presence channels and leases of nodes that live",
			"redis-cli CONFIG SET maxmemory-policy noeviction # or volatile-lru, if it is Laravel's cache too; and in redis.conf", "or a Redis of its own: config.toml [scaling.redis]")
	case most > 0 && used > fullRedis*most:
		e.warn(check, title, fmt.Sprintf("%s of %s used, maxmemory-policy is %s", size(int64(used)), size(int64(most)), short(policy)), "a full Redis refuses members of presence channels",
			"redis-cli CONFIG SET maxmemory, more; and in redis.conf")
	default:
		e.ok(check, title, "%s used, maxmemory-policy is %s", size(int64(used)), short(policy))
	}
}
