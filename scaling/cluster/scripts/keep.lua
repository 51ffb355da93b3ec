-- A client's event. ARGV: 1 event  2 how long a node's word counts, in ms  3 node, '': it has nobody in the channel
--   4 '1': only if nothing is kept
-- Returns 1 if it is kept: somebody must be in the channel.
local ms = tonumber(ARGV[2])
if ARGV[3] ~= '' then
  vouch(ARGV[3], ms)
end
if not occupied() then
  if isClients() then
    redis.call('DEL', KEYS[1])
  end
  return 0
end
if ARGV[4] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
redis.call('SET', KEYS[1], mark .. ARGV[1], 'PX', ms)
return 1
