-- A node is dead. ARGV: 1 node  2 its last beat as it was seen: it has not beaten since, or it is not dead; '': it says so itself
--   3 when to look after it, in ms from now  4 '1': it has lost a connection once
-- Returns 1 if it is dead now. Of a node that says so itself over its only connection nothing more can come: it is forgotten after the
-- first look. Over another one, what it wrote before may still be on its way.
local seen, t = ARGV[2], now()
if seen ~= '' and redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= seen then
  return 0
end
bury(ARGV[1], t + tonumber(ARGV[3]), seen == '' and ARGV[4] ~= '1' and 0 or t)
return 1
