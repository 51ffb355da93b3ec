package doctor

import (
	"errors"
	"strings"

	"reverb/config"
)

// checkPermissions asks for every command that the nodes use, without executing one: between MULTI and DISCARD Redis
// only checks and queues them, and its check is that of the user's permissions, for the command, the keys and the
// channels.
func (e redisServer) checkPermissions(c *redisConn, r config.Redis, title string) {
	const check = "redis.acl"
	title += ", permissions"
	if _, err := c.do("MULTI"); err != nil {
		e.skip(check, title, "the user may not use MULTI, with which it would be tested without executing anything: %s", redisReason(err))
		return
	}
	missing, keys := map[string]bool{}, false
	for _, words := range usedCommands(e.cfg.Scaling) {
		_, err := c.do(words...)
		var no redisError
		if err != nil && !errors.As(err, &no) {
			e.fail(check, title, "the connection was lost: "+redisReason(err), "it should be kept", "look at the log of Redis")
			return
		}
		if no.code() == "NOPERM" {
			missing[words[0]] = true
			keys = keys || strings.Contains(string(no), "key") || strings.Contains(string(no), "channel")
		}
	}
	if _, err := c.do("DISCARD"); err != nil {
		return // nothing was executed either way: the connection is closed
	}
	if len(missing) == 0 {
		e.ok(check, title, "every command that is used is allowed")
		return
	}
	user := r.Username
	if user == "" {
		user = "default"
	}
	prefix := r.Prefix
	line := "redis-cli ACL SETUSER " + user + " ~" + prefix + ":* &" + prefix + ":*"
	if e.cfg.Scaling.Mode == config.ScalingReverb {
		line += " &" + e.cfg.Scaling.Channel
	}
	names := sortedNames(missing)
	for _, name := range names {
		line += " +" + strings.ToLower(name)
	}
	what := "not allowed: " + strings.Join(names, ", ")
	if keys {
		what += " (for the keys " + prefix + ":* or channels of the same name)"
	}
	e.fail(check, title, what, "what needs them fails: events between nodes, presence, the look-out for dead nodes", line)
}

// usedCommands is what scaling and its scripts send, with names that nothing has.
func usedCommands(s config.Scaling) [][]string {
	name := s.Redis.Prefix + ":{reverb-doctor/none}"
	publish, subscribe, unsubscribe := "PUBLISH", "SUBSCRIBE", "UNSUBSCRIBE"
	if s.Redis.Cluster {
		publish, subscribe, unsubscribe = "SPUBLISH", "SSUBSCRIBE", "SUNSUBSCRIBE"
	}
	all := [][]string{
		{"TIME"}, {"GET", name}, {"SET", name, "x", "PX", "1"}, {"DEL", name}, {"EXISTS", name},
		{"HGETALL", name}, {"HSET", name, "f", "x"}, {"HSETNX", name, "f", "x"}, {"HINCRBY", name, "f", "1"}, {"HDEL", name, "f"}, {"HLEN", name}, {"HEXISTS", name, "f"}, {"HMGET", name, "f"},
		{"SADD", name, "x"}, {"SREM", name, "x"}, {"SPOP", name, "1"}, {"SCARD", name}, {"SMEMBERS", name},
		{"ZADD", name, "1", "x"}, {"ZREM", name, "x"}, {"ZRANGE", name, "0", "0"}, {"ZRANGEBYSCORE", name, "0", "0"}, {"ZSCORE", name, "x"}, {"ZCARD", name},
		{"EVAL", "return 1", "1", name}, {"EVALSHA", strings.Repeat("0", 40), "1", name},
		{publish, name, "x"}, {subscribe, name}, {unsubscribe, name},
	}
	if s.Redis.Cluster {
		all = append(all, []string{"CLUSTER", "SLOTS"}, []string{"ASKING"})
	}
	if s.Mode == config.ScalingReverb {
		all = append(all, []string{"PUBLISH", s.Channel, "x"}, []string{"SUBSCRIBE", s.Channel})
	}
	return all
}
