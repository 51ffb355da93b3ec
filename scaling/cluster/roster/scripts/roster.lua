-- The roster of one presence channel: in front of each script that changes it.
--
-- KEYS, all of one slot: 1 generation and version  2 user -> version at which it came, member  3 user -> number of holders
--   4 users that the node holds  5 users that nobody holds but their grace  6 the Redis channel
-- ARGV: 1 command to publish with  2 what a delta begins with
--
-- A holder of a user is a node or the grace. A user is a member as long as it has a holder. Who comes or goes for the whole cluster
-- makes a new version and a delta, here, where nothing can come between. When the last member goes all keys go with it; whoever comes
-- then begins a new generation.

local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function position()
  local at = redis.call('HMGET', KEYS[1], 'g', 'v')
  return at[1] or '', at[2] or '0'
end

local function publish(sign, generation, version, what)
  redis.call(ARGV[1], KEYS[6], ARGV[2] .. sign .. generation .. ' ' .. version .. ' ' .. what)
end

-- release takes one holder from the user. It returns sign, generation and version of the delta, sign '' when the user stays.
local function release(user)
  if redis.call('HINCRBY', KEYS[3], user, -1) > 0 then
    return '', position()
  end
  redis.call('HDEL', KEYS[3], user)
  if redis.call('HDEL', KEYS[2], user) == 0 then
    return '', position()
  end
  local version = redis.call('HINCRBY', KEYS[1], 'v', 1)
  local generation = position()
  local sign = '-'
  if redis.call('EXISTS', KEYS[2]) == 0 then
    redis.call('DEL', KEYS[1], KEYS[3], KEYS[5])
    sign = '0'
  end
  publish(sign, generation, version, user)
  return sign, generation, version
end

-- part is the end of a user on a node. With a grace, in ms, the user goes from the hand of the node into that of the grace.
local function part(user, grace)
  if grace > 0 and redis.call('ZADD', KEYS[5], now() + grace, user) == 1 then
    return '', position()
  end
  return release(user)
end

