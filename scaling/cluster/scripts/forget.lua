-- Nothing is left of a dead node. ARGV: 1 node
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
return 0
