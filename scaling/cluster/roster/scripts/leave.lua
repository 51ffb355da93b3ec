-- The last socket of a user on a node. ARGV: 3 user  4 grace in ms, 0: none
-- Returns sign, generation and version of the delta, sign '' when there was none. Doing it again changes nothing.
local sign, generation, version
if redis.call('SREM', KEYS[4], ARGV[3]) == 1 then
  sign, generation, version = part(ARGV[3], tonumber(ARGV[4]))
else
  sign, generation, version = '', position()
end
return {sign, generation, tostring(version)}
