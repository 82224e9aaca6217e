-- Take a job off the list, or put it back for later, unless it was scheduled anew meanwhile.
--
-- A server that was restarted may have lost what was done for the job, but not that it was claimed: a
-- lease of another run takes nothing off the list. What is noted in the order (a mail that went out)
-- was done elsewhere, and is not lost.
--
-- KEYS  1 due (sorted set, job by time in ms), 2 tries (hash, job -> times taken), 3 order:ID (hash)
-- ARGV  1 job, 2 lease (the score from claim_due), 3 delay (ms; 0: done), 4 field of the order that
--       gets the time when done (empty: none), 5 fresh (1: it went well, its tries start anew),
--       6 run (the server's id from claim_due)
-- ANSWER finished | later | taken: somebody else has it, or it is due again when its lease ends
-- E.g.  mail:confirmed:o1 done: finished; order:o1 has mail:confirmed = 1795000000000
assert(#KEYS == 3 and #ARGV == 6, 'three keys, six arguments')
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local done = ARGV[3] == '0'
local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
-- A job that is on no list any more was lost with what it was about, so nothing is noted of it.
if done and score and ARGV[4] ~= '' and redis.call('EXISTS', KEYS[3]) == 1 then
  redis.call('HSET', KEYS[3], ARGV[4], string.format('%d', now))
end
if not score then redis.call('HDEL', KEYS[2], ARGV[1]) end
if not score or tonumber(score) ~= tonumber(ARGV[2]) then return 'taken' end
if ARGV[4] == '' and this_run() ~= ARGV[6] then return 'taken' end
if done then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
  return 'finished'
end
redis.call('ZADD', KEYS[1], string.format('%d', now + tonumber(ARGV[3])), ARGV[1])
if ARGV[5] == '1' then redis.call('HDEL', KEYS[2], ARGV[1]) end
return 'later'
