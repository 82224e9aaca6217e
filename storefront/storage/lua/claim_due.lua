-- Take jobs that are due, with a lease: who does not finish in time loses them to the next.
--
-- KEYS  1 due (sorted set, job by time in ms), 2 tries (hash, job -> times taken)
-- ARGV  1 limit (jobs), 2 lease (ms)
-- ANSWER LEASE (ms; the score that the jobs have until then) RUN (the server's id, as in door.lua)
--       [JOB TRIES LATE (ms)]…
-- E.g.  mail:confirmed:o1 due since 40 ms: 1795000030000 7c1f… mail:confirmed:o1 1 40
assert(#KEYS == 2 and #ARGV == 2, 'two keys, two arguments')
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local lease = string.format('%d', now + tonumber(ARGV[2]))
local jobs = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', string.format('%d', now), 'WITHSCORES', 'LIMIT', 0, tonumber(ARGV[1]))
local claimed = { lease, this_run() }
for i = 1, #jobs, 2 do
  redis.call('ZADD', KEYS[1], lease, jobs[i])
  claimed[#claimed + 1] = jobs[i]
  claimed[#claimed + 1] = redis.call('HINCRBY', KEYS[2], jobs[i], 1)
  claimed[#claimed + 1] = now - tonumber(jobs[i + 1])
end
return claimed
