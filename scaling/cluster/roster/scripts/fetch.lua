-- The whole roster, and what the node holds of it.
local generation, version = position()
return {generation, version, redis.call('HGETALL', KEYS[2]), redis.call('SMEMBERS', KEYS[4])}
