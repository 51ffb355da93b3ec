-- A node has somebody in the channel. ARGV: 1 node  2 how long that counts, in ms
-- Returns whether there is an event.
vouch(ARGV[1], tonumber(ARGV[2]))
return redis.call('EXISTS', KEYS[1])
