-- All users of a node go, and whose grace is over. ARGV: 3 how many at most, 0: only those of the grace  4 grace of those who go, in ms
--   5 longest grace there can be, in ms
-- Returns how many the node still holds and how many are in their grace.
local most, grace = tonumber(ARGV[3]), tonumber(ARGV[4])
if most > 0 then
  for _, user in ipairs(redis.call('SPOP', KEYS[4], most)) do
    part(user, grace)
  end
end

local function expire(from, to)
  for _, user in ipairs(redis.call('ZRANGEBYSCORE', KEYS[5], from, to, 'LIMIT', 0, 500)) do
    redis.call('ZREM', KEYS[5], user)
    release(user)
  end
end
local t = now()
expire('-inf', t)
expire('(' .. t + tonumber(ARGV[5]), '+inf') -- the clock was set back
return {redis.call('SCARD', KEYS[4]), redis.call('ZCARD', KEYS[5])}
