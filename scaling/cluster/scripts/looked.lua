-- Somebody has looked after a dead node. ARGV: 1 node  2 when to look again, in ms from now  3 '1': it held nothing and nobody
--   4 how long late writes of a dead node are waited for, in ms
-- Returns 1 if it may be forgotten. It is not yet: if whoever looked fails to, somebody looks again.
local id, t = ARGV[1], now()
local since = tonumber(redis.call('ZSCORE', KEYS[4], id) or 0)
redis.call('ZADD', KEYS[3], 'XX', t + tonumber(ARGV[2]), id)
if ARGV[3] == '1' and (since > t or t - since >= tonumber(ARGV[4])) then
  return 1
end
return 0
