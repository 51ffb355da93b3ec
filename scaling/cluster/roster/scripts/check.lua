-- Whether a replica is right, for little.
local generation, version = position()
return {generation, version, redis.call('SCARD', KEYS[4])}
