-- Count one more try to get in as the operator, or say how long the next one has to wait.
--
-- It is counted before the password is looked at, so that guesses sent at once are counted too. After
-- some tries the wait doubles with each one, up to a longest: nobody can lock the operator out for good.
-- KEYS  1 account (hash)
-- ARGV  1 free (tries before the first wait), 2 first (ms, the first wait), 3 longest (ms),
--       4 calm (ms without a try, after which all of them are forgotten)
-- ANSWER MS (to wait; 0: it is counted, and may be looked at)
-- E.g.  the second of two free tries: 0; the next one within a first wait of 2000: 2000
assert(#KEYS == 1 and #ARGV == 4, 'one key, four arguments')
local free, first, longest, calm = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local tries = tonumber(redis.call('HGET', KEYS[1], 'tries') or 0)
local tried = tonumber(redis.call('HGET', KEYS[1], 'tried') or 0)
if tried > now or now - tried > calm then tries = 0 end
local wait = 0
if tries >= free then wait = math.min(first * 2 ^ (tries - free), longest) end
if wait > 0 and now < tried + wait then return math.ceil(tried + wait - now) end
redis.call('HSET', KEYS[1], 'tries', tries + 1, 'tried', string.format('%d', now))
return 0
