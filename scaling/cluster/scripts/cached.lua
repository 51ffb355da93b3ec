-- The last event of a cache channel: in front of each script about it.
--
-- KEYS, of one slot: 1 the event  2 nodes that have somebody in the channel: until when they vouch for it, in ms
--
-- A client's event begins with a byte of its own. It is kept while a node vouches that somebody is in the channel. A node begins when it
-- publishes or gets such an event, says so again in time, and ends when the last one has left; the word of a dead node ends with its time.

local mark = '\1'

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function isClients()
  return redis.call('GETRANGE', KEYS[1], 0, 0) == mark
end

local function occupied()
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now())
  return redis.call('EXISTS', KEYS[2]) == 1
end

local function vouch(node, ms)
  redis.call('ZADD', KEYS[2], now() + ms, node)
  redis.call('PEXPIRE', KEYS[2], ms)
  if isClients() then
    redis.call('PEXPIRE', KEYS[1], ms)
  end
end

