-- The nodes of the cluster: in front of each script about them.
--
-- KEYS, all of one slot: 1 node -> last beat  2 node -> connections by app, and what it says of itself  3 dead node -> when to look after it  4 dead node -> since when
--
-- Times are ms of Redis' clock. A beat is only ever compared with an older one of the same node: a clock that jumps kills nobody.

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- about is the field of what a node says of itself, beside that of its connections.
local function about(id)
  return id .. '/about'
end

-- bury takes a node out: from now on nobody beats by this id, and its members are looked after from the given time on.
local function bury(id, at, since)
  redis.call('ZREM', KEYS[1], id)
  redis.call('HDEL', KEYS[2], id, about(id))
  redis.call('ZADD', KEYS[3], at, id)
  redis.call('ZADD', KEYS[4], since, id)
end

