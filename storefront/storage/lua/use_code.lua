-- Use up a time step of the operator's one-time codes, so that a code that was overheard opens nothing.
--
-- KEYS  1 account (hash)
-- ARGV  1 secret (with which the code was found right), 2 step (half minutes since 1970)
-- ANSWER used | spent: this step, or a later one, was used before | changed: the secret is another by now
-- E.g.  a right code: used; the same code again: spent
assert(#KEYS == 1 and #ARGV == 2, 'one key, two arguments')
if redis.call('HGET', KEYS[1], 'secret') ~= ARGV[1] then return 'changed' end
if tonumber(ARGV[2]) <= tonumber(redis.call('HGET', KEYS[1], 'step') or 0) then return 'spent' end
redis.call('HSET', KEYS[1], 'step', ARGV[2])
return 'used'
