-- The first socket of a user on a node. ARGV: 3 user  4 member  5 most members, 0: any number  6 generation, if a new one begins
-- Returns what happened, generation, version, and whether another node holds the user too. Doing it again changes nothing.
local user, most = ARGV[3], tonumber(ARGV[5])
local known = redis.call('HEXISTS', KEYS[2], user) == 1
if not known and most > 0 and redis.call('HLEN', KEYS[2]) >= most then
  return {'full', '', '0', 0}
end

local came = redis.call('SADD', KEYS[4], user) - redis.call('ZREM', KEYS[5], user)
local holders = redis.call('HINCRBY', KEYS[3], user, came)
local elsewhere = holders > 1 and 1 or 0
if known then
  local generation, version = position()
  return {'known', generation, version, elsewhere}
end

redis.call('HSETNX', KEYS[1], 'g', ARGV[6])
local version = redis.call('HINCRBY', KEYS[1], 'v', 1)
local generation = position()
redis.call('HSET', KEYS[2], user, version .. ' ' .. ARGV[4])
publish('+', generation, version, ARGV[4])
return {'added', generation, tostring(version), elsewhere}
