-- Ask for one-time codes from now on, once a first code has shown that the operator's phone makes them.
--
-- Recovery codes of before end, and so does every session: one that was stolen would know no code.
-- KEYS  1 account (hash), 2 account:draft (string, the secret that was shown), 3 account:recovery (set)
-- ARGV  1 secret (with which the code was found right), 2 step (half minutes since 1970, used up),
--       3 generation (of sessions), 4 recovery (JSON, SHA-256 of each new recovery code)
-- ANSWER on | already: with this secret | gone: another secret was shown since, or none
-- E.g.  the secret that was shown: on; account has it with step 59833333, the draft is gone
assert(#KEYS == 3 and #ARGV == 4, 'three keys, four arguments')
local recovery = cjson.decode(ARGV[4])
if redis.call('HGET', KEYS[1], 'secret') == ARGV[1] then return 'already' end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 'gone' end
redis.call('HSET', KEYS[1], 'secret', ARGV[1], 'step', ARGV[2], 'generation', ARGV[3])
redis.call('DEL', KEYS[3])
redis.call('SADD', KEYS[3], unpack(recovery))
redis.call('DEL', KEYS[2])
return 'on'
