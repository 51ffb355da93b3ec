-- A sign of life. ARGV: 1 node  2 connections by app  3 '1': the node is new  4 who it was before, '': nobody  5 how long looking after a
--   dead node may take, in ms  6 '1': the node has time for that  7 how far ahead such a time can be, in ms  8 what the node says of itself
-- Returns 'lives', the nodes with their beats, their connections, and a dead node to look after if there is one; or 'dead'.
local id, look, t = ARGV[1], tonumber(ARGV[5]), now()
if ARGV[4] ~= '' then
  bury(ARGV[4], t + look, t)
end
local known = redis.call('ZSCORE', KEYS[1], id)
if redis.call('ZSCORE', KEYS[3], id) or not known and ARGV[3] ~= '1' then
  return {'dead', {}, {}, {}}
end
if known and tonumber(known) >= t then
  t = tonumber(known) + 1 -- the clock was set back: a beat is still another than the last
end
redis.call('ZADD', KEYS[1], t, id)
redis.call('HSET', KEYS[2], id, ARGV[2], about(id), ARGV[8])

local due = {}
if ARGV[6] == '1' then
  due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now(), 'LIMIT', 0, 1)
  if #due == 0 then
    due = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now() + tonumber(ARGV[7]), '+inf', 'LIMIT', 0, 1) -- the clock was set back
  end
  if #due > 0 then
    redis.call('ZADD', KEYS[3], now() + look, due[1])
  end
end
return {'lives', redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'), redis.call('HGETALL', KEYS[2]), due}
