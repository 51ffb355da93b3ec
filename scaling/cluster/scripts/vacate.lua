-- A node has nobody in the channel any more. ARGV: 1 node
redis.call('ZREM', KEYS[2], ARGV[1])
if not occupied() and isClients() then
  redis.call('DEL', KEYS[1])
end
return 0
