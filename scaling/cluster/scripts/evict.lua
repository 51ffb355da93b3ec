-- The event makes room for others, unless another has come since. ARGV: 1 its length
if redis.call('STRLEN', KEYS[1]) == tonumber(ARGV[1]) then
  redis.call('DEL', KEYS[1])
end
return 0
