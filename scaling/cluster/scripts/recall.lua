-- The event for a node that begins to need it. ARGV: 1 node  2 how long its word counts, in ms  3 '1': it has somebody in the channel already
-- Returns the event as it is kept. A client's event that nobody vouches for is gone.
local event = redis.call('GET', KEYS[1])
if not event or string.sub(event, 1, 1) ~= mark then
  return event
end
if ARGV[3] ~= '1' and not occupied() then
  redis.call('DEL', KEYS[1])
  return false
end
vouch(ARGV[1], tonumber(ARGV[2]))
return event
